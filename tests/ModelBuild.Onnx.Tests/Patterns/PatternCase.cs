namespace ModelBuild.Onnx.Tests;

/// <summary>A small model and what should be found in it.</summary>
/// <param name="Name">What the model is.</param>
/// <param name="Pattern">The pattern to look for.</param>
/// <param name="Form">The form in which it is there, or null where it is not.</param>
/// <param name="Build">Builds the model and returns its outputs.</param>
internal sealed record PatternCase(string Name, Pattern Pattern, string? Form, Func<GraphBuilder, Value[]> Build)
{
    public long Opset { get; init; } = 17;

    /// <summary>The captures that are asked for.</summary>
    public string[] Captures { get; init; } = [];

    /// <summary>The numbers that are asked for; NaN where there must be none.</summary>
    public Dictionary<string, double> Numbers { get; init; } = [];

    /// <summary>Whether the simplifier writes it as the pattern's operator, where the operator set has that.</summary>
    public bool IsRewritten { get; init; } = Form is not (null or "operator") && Pattern.Replacements.Length > 0
        && Pattern.Forms.First(f => f.Name == Form).IsExact;

    public GraphBuilder Model()
    {
        var builder = new GraphBuilder(Opset);
        builder.Finish(Build(builder));
        return builder;
    }

    /// <summary>All cases by name.</summary>
    public static IReadOnlyDictionary<string, PatternCase> All { get; } =
        new[] { NormalizationCases.All, ActivationCases.All, AttentionCases.All, RecurrentCases.All }.SelectMany(c => c)
            .ToDictionary(c => $"{c.Pattern}: {c.Name}");

    public static TheoryData<string> Names => [.. All.Keys];
}
