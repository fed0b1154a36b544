using System.Diagnostics.CodeAnalysis;

namespace ModelBuild.Onnx;

/// <summary>One execution of a node: its attributes, inputs and outputs.</summary>
public sealed class ExecutionContext
{
    private readonly object?[] _inputs;
    private readonly object?[] _outputs;
    private readonly Func<Graph, IReadOnlyList<object?>, object?[]>? _run;

    internal ExecutionContext(Node node, long opset, object?[] inputs, Func<Graph, IReadOnlyList<object?>, object?[]>? run = null)
    {
        Node = node;
        Opset = opset;
        _inputs = inputs;
        _outputs = new object?[node.Outputs.Count];
        _run = run;
    }

    /// <summary>The node, for its attributes.</summary>
    public Node Node { get; }

    /// <summary>The version of the operator set that the node belongs to.</summary>
    public long Opset { get; }

    /// <summary>The number of inputs, omitted ones in the middle included.</summary>
    public int InputCount => _inputs.Length;

    /// <summary>The number of outputs, omitted ones in the middle included.</summary>
    public int OutputCount => _outputs.Length;

    internal object?[] Outputs => _outputs;

    /// <summary>A tensor that must be given.</summary>
    /// <exception cref="OnnxException">The input is left out or no tensor.</exception>
    public Tensor Input(int index) => Value(index) as Tensor ?? throw Error($"input {index} is missing or no tensor");

    /// <summary>A tensor that may be left out.</summary>
    public Tensor? Optional(int index) => Value(index) as Tensor;

    /// <summary>An input of any kind: <see cref="Tensor"/>, <see cref="TensorSequence"/>, or null where it is left out or an empty optional.</summary>
    public object? Value(int index) => index < _inputs.Length ? _inputs[index] : null;

    /// <summary>Whether an output is asked for.</summary>
    public bool Wants(int output) => output < _outputs.Length && Node.Outputs[output].Name.Length > 0;

    /// <summary>Sets an output; ignored where it is left out.</summary>
    public void Set(int output, object? value)
    {
        if (output < _outputs.Length)
            _outputs[output] = value;
    }

    /// <summary>Runs a subgraph of the node.</summary>
    /// <param name="graph">The subgraph.</param>
    /// <param name="inputs">Values of its inputs, in order.</param>
    /// <returns>Values of its outputs, in order.</returns>
    public object?[] Run(Graph graph, IReadOnlyList<object?> inputs) =>
        (_run ?? throw Error("subgraphs cannot be run here"))(graph, inputs);

    /// <summary>The subgraph of an attribute.</summary>
    /// <exception cref="OnnxException">The attribute is missing.</exception>
    public Graph Subgraph(string attribute) =>
        Node.Attributes.TryGetValue(attribute, out var a) && a.Value is Graph g ? g : throw Error($"attribute '{attribute}' is missing");

    /// <summary>An error that names the node.</summary>
    public OnnxException Error(string message) => NodeError.Of(Node, message);

    /// <summary>A refusal of what the specification allows but is not executed here.</summary>
    /// <param name="what">What is not executed, such as "training mode".</param>
    public OnnxException Unsupported(string what) => new(OnnxErrors.UnsupportedOperator, $"{Node.OpType} '{Node.DisplayName}': {what} cannot be executed",
        Node.DisplayName);

    /// <summary>Throws unless a condition holds.</summary>
    public void Require([DoesNotReturnIf(false)] bool condition, string message)
    {
        if (!condition)
            throw Error(message);
    }
}
