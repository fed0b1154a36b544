namespace ModelBuild.Onnx.Patterns;

/// <summary>One way in which exporters write a pattern.</summary>
/// <param name="Name">What tells it from the pattern's other forms: <c>operator</c>, <c>erf</c>, ...</param>
/// <param name="Root">The value that the match ends in.</param>
/// <param name="Check">What the captures must fulfil together, null for nothing. It may add captures of its own.</param>
internal sealed record PatternForm(string Name, ValuePattern Root, Func<Matching, bool>? Check = null)
{
    /// <summary>Whether the pattern's operator gives the same numbers within float noise, so that the form may be rewritten.</summary>
    public bool IsExact { get; init; } = true;

    /// <summary>The operators that the root can be.</summary>
    public IReadOnlySet<(string Domain, string OpType)> RootOperators { get; } = Operators(Root).ToHashSet();

    private static IEnumerable<(string, string)> Operators(ValuePattern pattern) => pattern switch
    {
        OperatorValue op => [(op.Domain, op.OpType)],
        Alternatives a => a.Patterns.SelectMany(Operators),
        _ => throw new InvalidOperationException("a match ends in an operator"),
    };
}
