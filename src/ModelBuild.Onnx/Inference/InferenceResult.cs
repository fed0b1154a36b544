namespace ModelBuild.Onnx;

/// <summary>What <see cref="ShapeInference"/> found out about the values of a model.</summary>
public sealed class InferenceResult
{
    private readonly IReadOnlyDictionary<Value, TensorType> _types;
    private readonly IReadOnlyDictionary<Value, Tensor> _constants;
    private readonly IReadOnlyDictionary<Value, SymbolicTensor> _elements;
    private readonly IReadOnlySet<Graph> _contradictory;

    internal InferenceResult(IReadOnlyDictionary<Value, TensorType> types, IReadOnlyDictionary<Value, Tensor> constants, IReadOnlyDictionary<Value,
        SymbolicTensor> elements, IReadOnlySet<Graph> contradictory)
    {
        _types = types;
        _constants = constants;
        _elements = elements;
        _contradictory = contradictory;
    }

    /// <summary>The inferred type; also for graph outputs, whose declaration may say less. Null where nothing is known.</summary>
    public TensorType? TypeOf(Value value) => _types.GetValueOrDefault(value) ?? (value.Type is { } declared ? declared with { Shape = default } : null);

    /// <summary>The data of a value that was found to be constant (initializers included), else null.</summary>
    public Tensor? ConstantOf(Value value) => Foldable.ConstantOf(value) ?? _constants.GetValueOrDefault(value);

    /// <summary>Whether a subgraph contradicts the shapes that it is given: a branch that is never taken with them.</summary>
    public bool IsContradictory(Graph graph) => _contradictory.Contains(graph);

    /// <summary>The elements of a small integer tensor as far as they are known, else null.</summary>
    public SymbolicTensor? ElementsOf(Value value) => _elements.GetValueOrDefault(value);
}
