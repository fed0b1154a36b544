using System.Collections.Immutable;

namespace ModelBuild.Onnx.Patterns;

/// <summary>
/// A description of a value by what computes it. Patterns are data: trees of operators over captured values, numbers and constants. Two captures of one name
/// stand for the same value, which makes a graph of the tree.
/// </summary>
internal abstract record ValuePattern
{
    /// <summary>The name that the matched value (for numbers: the number, too) is captured under, or null.</summary>
    public string? Capture { get; init; }

    /// <summary>The same pattern, capturing what it matches.</summary>
    public ValuePattern As(string capture) => this with { Capture = capture };

    /// <summary>Any value.</summary>
    public static ValuePattern Any(string capture) => new AnyValue { Capture = capture };

    /// <summary>Any constant.</summary>
    public static ValuePattern Constant(string capture) => new ConstantValue { Capture = capture };

    /// <summary>A constant of one element near a number.</summary>
    public static ValuePattern Number(double expected) => new NumberValue(expected);

    /// <summary>A constant of one element, whatever its number.</summary>
    public static ValuePattern Number(string capture) => new NumberValue(null) { Capture = capture };

    /// <summary>The first output of an operator of the standard domain. Two inputs match in either order where the operator does not care.</summary>
    public static OperatorValue Op(string opType, params ValuePattern[] inputs) => new("", opType, [.. inputs]);

    /// <summary>The first output of an operator of another domain.</summary>
    public static OperatorValue Op((string Domain, string OpType) op, params ValuePattern[] inputs) => new(op.Domain, op.OpType, [.. inputs]);

    /// <summary>The first of several patterns that matches together with all the rest.</summary>
    public static ValuePattern OneOf(params ValuePattern[] alternatives) => new Alternatives([.. alternatives]);

    /// <summary>A value, or an operator of one input over it.</summary>
    public static ValuePattern Optional(string opType, ValuePattern input) => OneOf(input, Op(opType, input));
}

/// <summary>Any value; its name is <see cref="ValuePattern.Capture"/>.</summary>
internal sealed record AnyValue : ValuePattern;

/// <summary>A constant.</summary>
internal sealed record ConstantValue : ValuePattern;

/// <summary>A constant of one element.</summary>
/// <param name="Expected">The number, met within the precision of the constant's element type and of what exporters write; null for any.</param>
internal sealed record NumberValue(double? Expected) : ValuePattern;

/// <summary>One of several patterns, tried in order.</summary>
internal sealed record Alternatives(ImmutableArray<ValuePattern> Patterns) : ValuePattern;

/// <summary>An output of an operator.</summary>
/// <param name="Domain">The operator's domain.</param>
/// <param name="OpType">The operator.</param>
/// <param name="Inputs">What the first inputs are; the node has no others, except those that parameters are read from.</param>
internal sealed record OperatorValue(string Domain, string OpType, ImmutableArray<ValuePattern> Inputs) : ValuePattern
{
    /// <summary>What is asked of attributes, or of inputs that took their place.</summary>
    public ImmutableArray<ParameterPattern> Parameters { get; init; } = [];

    /// <summary>Which of the operator's outputs the value is; -1 for any.</summary>
    public int Output { get; init; }

    /// <summary>Whether the node may have inputs that the pattern says nothing about.</summary>
    public bool HasMoreInputs { get; init; }

    /// <summary>
    /// Whether the node only feeds the match: it is no part of it, and others may read its output. Otherwise all that a node computes must be used inside the
    /// match.
    /// </summary>
    public bool IsOutside { get; init; }

    /// <summary>Whether others may read the output of a node that is part of the match.</summary>
    public bool IsShared { get; init; }

    /// <summary>Anything else that is asked of the node; types are asked of the matching.</summary>
    public Func<Node, Matching, bool>? Condition { get; init; }

    /// <summary>Asks for a parameter near given numbers.</summary>
    /// <param name="name">The attribute.</param>
    /// <param name="expected">Its number or numbers.</param>
    /// <param name="input">The input that newer versions of the operator take it from, or -1.</param>
    /// <param name="otherwise">What it is where it is not given; null where it must be given.</param>
    public OperatorValue With(string name, double[] expected, int input = -1, double[]? otherwise = null) =>
        this with { Parameters = Parameters.Add(new(name, input, otherwise, null, expected)) };

    /// <summary>Captures a parameter.</summary>
    public OperatorValue Take(string name, int input = -1, double[]? otherwise = null, string? capture = null) =>
        this with { Parameters = Parameters.Add(new(name, input, otherwise, capture ?? name, null)) };

    /// <summary>Lets the node have inputs that the pattern says nothing about.</summary>
    public OperatorValue AndMore() => this with { HasMoreInputs = true };

    /// <summary>Asks for another output than the first; -1 for any.</summary>
    public OperatorValue At(int output) => this with { Output = output };

    /// <summary>Makes the node one that only feeds the match.</summary>
    public OperatorValue Outside() => this with { IsOutside = true };

    /// <summary>Lets others read the output.</summary>
    public OperatorValue Shared() => this with { IsShared = true };

    /// <summary>Asks something of the node.</summary>
    public OperatorValue Where(Func<Node, Matching, bool> condition) => this with { Condition = condition };
}

/// <summary>A numeric attribute of a node, or the constant input that took its place in newer versions of the operator.</summary>
/// <param name="Name">The attribute.</param>
/// <param name="Input">The input, or -1.</param>
/// <param name="Otherwise">The numbers where neither is given; null where one must be.</param>
/// <param name="Capture">The name that the numbers are captured under, or null.</param>
/// <param name="Expected">The numbers that are asked for, or null.</param>
internal sealed record ParameterPattern(string Name, int Input, double[]? Otherwise, string? Capture, double[]? Expected);
