namespace ModelBuild.Compression.Planning;

/// <summary>What is tried: recipes one at a time, each after the candidates of the ones before it were made.</summary>
public interface ICandidateSource
{
    /// <summary>The recipes; techniques that have nothing to do drop out.</summary>
    /// <param name="made">The candidates so far; grows while recipes are taken.</param>
    /// <param name="run">Runs a candidate on the part of the data that chooses, so that it says what it loses, for sources that go by that. The others are run
    /// only where they could ship.</param>
    IEnumerable<Recipe> Recipes(IReadOnlyList<Candidate> made, Action<Candidate> run);
}
