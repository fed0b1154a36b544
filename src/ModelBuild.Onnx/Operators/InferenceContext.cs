using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using ModelBuild.Onnx.Proto;

namespace ModelBuild.Onnx;

/// <summary>One node during shape inference: what is known of its inputs, and where to put what follows for its outputs.</summary>
public sealed class InferenceContext
{
    private readonly ShapeInference _engine;

    internal InferenceContext(ShapeInference engine, Node node, long opset)
    {
        _engine = engine;
        Node = node;
        Opset = opset;
    }

    /// <summary>The node, for its attributes.</summary>
    public Node Node { get; }

    /// <summary>The version of the operator set that the node belongs to.</summary>
    public long Opset { get; }

    /// <summary>The number of inputs, omitted ones in the middle included.</summary>
    public int InputCount => Node.Inputs.Count;

    /// <summary>The number of outputs, omitted ones in the middle included.</summary>
    public int OutputCount => Node.Outputs.Count;

    /// <summary>Whether an input is given.</summary>
    public bool Has(int index) => Node.Input(index) is not null;

    /// <summary>The type of an input; element type undefined and shape default where nothing is known.</summary>
    public TensorType Input(int index) => Node.Input(index) is { } v && _engine.TypeOf(v) is { } t ? t : new(Onnx.ElementType.Undefined, default);

    /// <summary>The element type of an input, or undefined.</summary>
    public ElementType ElementType(int index) => Input(index).ElementType;

    /// <summary>The shape of an input; <c>default</c> where the rank is unknown.</summary>
    public ImmutableArray<Dimension> Shape(int index) => Input(index).Shape;

    /// <summary>The data of an input that is constant, else null.</summary>
    public Tensor? Constant(int index) => Node.Input(index) is { } v ? _engine.ConstantOf(v) : null;

    /// <summary>The elements of a small integer input as far as they are known, else null.</summary>
    public SymbolicTensor? Elements(int index) => Node.Input(index) is { } v ? _engine.ElementsOf(v) : null;

    /// <summary>The elements of an integer input of one dimension (axes, shapes, sizes); null where the number of elements is unknown.</summary>
    public ImmutableArray<Dimension>? Vector(int index)
    {
        if (Elements(index) is { } known)
            return known.Elements;
        return Shape(index) is { IsDefault: false, Length: 1 } s && s[0].IsConstant && s[0].Value <= SymbolicTensor.MaxLength
            ? [.. Enumerable.Repeat(Dimension.Unknown, (int)s[0].Value)] : null;
    }

    /// <summary>The elements of an integer input that is constant, else null.</summary>
    public long[]? ConstantIntegers(int index)
    {
        if (Elements(index) is { } e)
            return e.Elements.All(static d => d.IsConstant) ? [.. e.Elements.Select(static d => d.Value)] : null;
        return Constant(index) is { } t && (ElementTypes.IsInteger(t.ElementType) || t.ElementType == Onnx.ElementType.Bool) ? Numbers.Integers(t) : null;
    }

    /// <summary>What an input that is no tensor is (a sequence, an optional), as read or inferred; else null.</summary>
    internal TypeProto? NonTensor(int index) => Node.Input(index) is { } v ? _engine.NonTensorTypeOf(v) : null;

    /// <summary>Sets the type of an output; ignored where the output is left out.</summary>
    public void Set(int output, ElementType elementType, ImmutableArray<Dimension> shape = default)
    {
        if (output < Node.Outputs.Count)
            _engine.SetType(Node.Outputs[output], new(elementType, shape));
    }

    /// <summary>Sets the type of an output.</summary>
    public void Set(int output, TensorType type) => Set(output, type.ElementType, type.Shape);

    /// <summary>Sets the elements of an integer output as far as they are known.</summary>
    public void SetElements(int output, SymbolicTensor elements)
    {
        if (output < Node.Outputs.Count)
            _engine.SetElements(Node.Outputs[output], elements);
    }

    /// <summary>Sets the data of an output that is constant.</summary>
    public void SetConstant(int output, Tensor data)
    {
        if (output < Node.Outputs.Count)
            _engine.SetConstant(Node.Outputs[output], data);
    }

    internal void SetNonTensor(int output, TypeProto? type)
    {
        if (output < Node.Outputs.Count && type is not null)
            _engine.SetNonTensorType(Node.Outputs[output], type);
    }

    /// <summary>The type of a value of a subgraph, after <see cref="InferSubgraph"/>.</summary>
    internal TensorType? TypeOf(Value value) => _engine.TypeOf(value);

    internal TypeProto? NonTensorOf(Value value) => _engine.NonTensorTypeOf(value);

    /// <summary>Infers a subgraph whose inputs have the given types (null where unknown).</summary>
    internal void InferSubgraph(Graph graph, IReadOnlyList<TensorType?> inputs)
    {
        for (var i = 0; i < graph.Inputs.Count && i < inputs.Count; i++)
            if (inputs[i] is { } type)
                _engine.SetType(graph.Inputs[i], type);
        _engine.Infer(graph);
    }

    /// <summary>Infers a subgraph as if its inputs had the given types.</summary>
    /// <param name="graph">The subgraph.</param>
    /// <param name="inputs">The types.</param>
    /// <param name="holds">Whether what follows agrees with that.</param>
    /// <returns>Whether it does; otherwise all that was inferred is forgotten.</returns>
    internal bool InferSubgraphOnTrial(Graph graph, IReadOnlyList<TensorType?> inputs, Func<bool> holds)
    {
        InferSubgraph(graph, inputs);
        if (!_engine.IsContradictory(graph) && holds())
            return true;
        _engine.Forget(graph);
        return false;
    }

    /// <summary>The data of a value of a subgraph that is constant, else null.</summary>
    internal Tensor? ConstantOf(Value value) => _engine.ConstantOf(value);

    /// <summary>A dimension about which nothing is known but that it is the same wherever this value stands.</summary>
    internal Dimension Fresh(string hint) => _engine.Fresh(hint);

    /// <summary>An error that names the node.</summary>
    public OnnxException Error(string message) => NodeError.Of(Node, message);

    /// <summary>Throws unless a condition holds.</summary>
    public void Require([DoesNotReturnIf(false)] bool condition, string message)
    {
        if (!condition)
            throw Error(message);
    }
}
