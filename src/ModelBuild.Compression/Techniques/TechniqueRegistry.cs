using ModelBuild.Compression.Planning;

namespace ModelBuild.Compression.Techniques;

/// <summary>The techniques that recipes are made of. The compiler registers further ones (trained ones) before it plans.</summary>
public sealed class TechniqueRegistry
{
    // The plainest first: so they are tried, and of equal candidates the earlier one gives the name.
    private readonly List<ITechnique> _techniques = [new WeightsFloat16(), new WeightsInt8(), new WeightsInt4(), new DynamicInt8(), new StaticInt8(),
        new BiasCorrection(), new Refit(), new PruneFilters(), new LowRank()];

    /// <summary>A recipe, for texts that explain what one is.</summary>
    public const string Example = "int8(mse)+weights-int8";

    /// <summary>All techniques.</summary>
    public IReadOnlyList<ITechnique> All => _techniques;

    /// <summary>Adds a technique.</summary>
    public void Register(ITechnique technique) => _techniques.Add(technique);

    /// <summary>The technique of a name.</summary>
    /// <exception cref="CompressionException">MDLB0030: there is no such technique.</exception>
    public ITechnique Get(string name) => _techniques.FirstOrDefault(t => t.Name == name)
        ?? throw new CompressionException(Codes.UnknownTechnique,
            $"there is no technique '{name}'{Suggestion.For(name, _techniques.Select(t => t.Name))}; there are auto, none, simplify, "
            + $"{string.Join(", ", _techniques.Select(t => t.Name))}", "Technique");

    /// <summary>Checks the names, the arguments and the order of a recipe's steps.</summary>
    /// <exception cref="CompressionException">MDLB0030, MDLB0032: there is no such technique, or no such argument; MDLB0033: a step finds no floats any
    /// more.</exception>
    public void Check(Recipe recipe)
    {
        foreach (var step in recipe.Steps)
            Get(step.Technique).Check(step);
        for (var i = 1; i < recipe.Steps.Count; i++)
            if (Get(recipe.Steps[i].Technique).NeedsFloats
                && recipe.Steps.Take(i).FirstOrDefault(s => Get(s.Technique) is { NeedsFloats: false, Repairs: false }) is { } before)
                throw new CompressionException(Codes.OrderOfSteps,
                    $"'{recipe}': {recipe.Steps[i]} changes layers of floats, of which {before} leaves none. Write "
                    + $"Technique=\"{new Recipe([.. recipe.Steps.OrderBy(s => Get(s.Technique).NeedsFloats ? 0 : 1)])}\"", "Technique");
    }
}
