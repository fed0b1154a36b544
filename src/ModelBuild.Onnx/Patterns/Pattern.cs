using System.Collections.Immutable;

namespace ModelBuild.Onnx;

/// <summary>A function that exporters write as several nodes, in one or more forms. Instances are in <see cref="PatternCatalog"/>.</summary>
public sealed class Pattern
{
    internal Pattern(string name, string summary, params ReadOnlySpan<Patterns.PatternForm> forms)
    {
        Name = name;
        Summary = summary;
        Forms = [.. forms];
    }

    /// <summary>A short name in lower case with hyphens, as <c>inspect</c> shows it.</summary>
    public string Name { get; }

    /// <summary>The function, and what a match captures.</summary>
    public string Summary { get; }

    /// <summary>The ways in which it is written, tried in order: the largest first.</summary>
    internal ImmutableArray<Patterns.PatternForm> Forms { get; }

    /// <summary>What the simplifier makes of a match, the newest operator first; empty where matches are only recognised.</summary>
    internal ImmutableArray<Patterns.Replacement> Replacements { get; init; } = [];

    /// <inheritdoc/>
    public override string ToString() => Name;
}
