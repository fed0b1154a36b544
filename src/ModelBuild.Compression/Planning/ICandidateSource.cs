namespace ModelBuild.Compression.Planning;

/// <summary>What is tried: recipes one at a time, each after the candidates of the ones before it were made and judged.</summary>
public interface ICandidateSource
{
    /// <summary>The recipes; techniques that have nothing to do drop out.</summary>
    /// <param name="made">The candidates so far, with what they lose; grows while recipes are taken.</param>
    IEnumerable<Recipe> Recipes(IReadOnlyList<Candidate> made);
}
