using System.Collections.Immutable;

namespace ModelBuild.Onnx;

/// <summary>A place in a graph where a pattern was found.</summary>
public sealed class PatternMatch
{
    private readonly InferenceResult _inference;
    private readonly ImmutableDictionary<string, Value> _values;
    private readonly ImmutableDictionary<string, double[]> _numbers;
    private readonly ImmutableDictionary<string, Tensor> _constants;

    internal PatternMatch(Pattern pattern, Patterns.PatternForm form, Value output, InferenceResult inference, ImmutableArray<Node> nodes,
        ImmutableDictionary<string, Value> values, ImmutableDictionary<string, Tensor> constants, ImmutableDictionary<string, double[]> numbers)
    {
        Pattern = pattern;
        FormUsed = form;
        Output = output;
        _inference = inference;
        Nodes = nodes;
        _values = values;
        _constants = constants;
        _numbers = numbers;
    }

    /// <summary>What was found.</summary>
    public Pattern Pattern { get; }

    /// <summary>In which form: <c>operator</c> where a node says it in one word, else how it is written.</summary>
    public string Form => FormUsed.Name;

    internal Patterns.PatternForm FormUsed { get; }

    /// <summary>The value that the match computes.</summary>
    public Value Output { get; }

    /// <summary>The graph that it lies in; a subgraph for the bodies of Loop, Scan and If.</summary>
    public Graph Graph => Output.Graph;

    /// <summary>The nodes that compute it, each after those that it reads. What they compute is used by none but them, apart from <see cref="Output"/> and
    /// values that the pattern shares.</summary>
    public ImmutableArray<Node> Nodes { get; }

    /// <summary>A captured value, or null where the match has none of that name.</summary>
    public Value? Value(string name) => _values.GetValueOrDefault(name);

    /// <summary>The type of a captured value, as far as inference knows it.</summary>
    internal TensorType? Type(string name) => Value(name) is { } value ? _inference.TypeOf(value) : null;

    /// <summary>The type of <see cref="Output"/>.</summary>
    internal TensorType? OutputType => _inference.TypeOf(Output);

    /// <summary>The data of a captured value that is constant, or null.</summary>
    public Tensor? Constant(string name) => _constants.GetValueOrDefault(name);

    /// <summary>A captured number, or null.</summary>
    public double? Number(string name) => _numbers.TryGetValue(name, out var n) && n.Length == 1 ? n[0] : null;

    /// <summary>Captured numbers (axes, a permutation), or null.</summary>
    public IReadOnlyList<double>? Numbers(string name) => _numbers.GetValueOrDefault(name);

    /// <summary>The names of all captures.</summary>
    public IEnumerable<string> Captures => _values.Keys.Union(_numbers.Keys).Order(StringComparer.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => $"{Pattern} ({Form}) -> {Output.Name}";
}
