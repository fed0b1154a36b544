using ModelBuild.Compression.Techniques;

namespace ModelBuild.Compression.Planning;

/// <summary>One step of a recipe: a technique and its arguments.</summary>
/// <param name="Technique">The technique's name.</param>
/// <param name="Arguments">What stands in parentheses, split at commas.</param>
public sealed record RecipeStep(string Technique, IReadOnlyList<string> Arguments)
{
    /// <inheritdoc/>
    public override string ToString() => Arguments.Count == 0 ? Technique : $"{Technique}({string.Join(',', Arguments)})";
}

/// <summary>A sequence of techniques: <c>int8(mse)+weights-int8</c>. Each step works on the model that the ones before it left. No step at all is
/// <c>simplify</c>.</summary>
/// <param name="Steps">The steps in order.</param>
public sealed record Recipe(IReadOnlyList<RecipeStep> Steps)
{
    /// <summary>Lossless clean-up alone.</summary>
    public static Recipe Simplify { get; } = new([]);

    /// <summary>Reads a recipe.</summary>
    /// <exception cref="CompressionException">MDLB0031: the text is no recipe.</exception>
    public static Recipe Parse(string text)
    {
        var steps = new List<RecipeStep>();
        foreach (var part in text.Split('+', StringSplitOptions.TrimEntries))
        {
            var open = part.IndexOf('(', StringComparison.Ordinal);
            var name = open < 0 ? part : part[..open].TrimEnd();
            if (name.Length == 0 || open >= 0 && !part.EndsWith(')'))
                throw new CompressionException(Codes.BadRecipe, $"'{text}' is no recipe: write steps joined by '+', for example {TechniqueRegistry.Example}",
                    "Technique");
            if (name == "simplify")
                continue;
            steps.Add(new(name, open < 0 ? [] : part[(open + 1)..^1].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)));
        }
        return new(steps);
    }

    /// <inheritdoc/>
    public override string ToString() => Steps.Count == 0 ? "simplify" : string.Join('+', Steps);
}
