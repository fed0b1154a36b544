using System.Collections.Immutable;
using ModelBuild.Onnx.Proto;

namespace ModelBuild.Onnx;

/// <summary>
/// Infers element types and shapes through a model. Dimensions are followed as expressions over the named ones, and so are the elements of small
/// integer tensors, so that shapes computed in the graph (Shape, Gather, Concat, Reshape) are understood. Work per node is bounded.
/// </summary>
/// <remarks>
/// What a file declares is true only as far as runtimes hold it to it: element types, and the ranks and constant dimensions of the model's inputs. All other
/// declarations (of outputs, of inner values, of the inputs of a loop's body) may be stale, and one name may stand for two sizes. <see cref="Prove"/> believes
/// none of them, <see cref="Run"/> uses them to describe a model.
/// </remarks>
public sealed class ShapeInference
{
    // Constants are computed on the way only where both sides are small; the simplifier folds the rest.
    private const long MaxFoldedInput = 1 << 14;
    private const long MaxFoldedOutput = 1 << 10;

    private readonly Model _model;
    private readonly Dictionary<Value, TensorType> _types = [];
    private readonly Dictionary<Value, TypeProto> _nonTensorTypes = [];
    private readonly Dictionary<Value, Tensor> _constants = [];
    private readonly Dictionary<Value, SymbolicTensor> _elements = [];
    private readonly IReadOnlyDictionary<string, long> _fixed;
    private readonly bool _namesAreSizes;
    private readonly bool _believes;
    private readonly HashSet<string> _named = new(StringComparer.Ordinal);
    private readonly HashSet<Graph> _contradictory = [];
    private bool _declaresMore;
    private int _fresh;

    private ShapeInference(Model model, IReadOnlyDictionary<string, long>? fixedDimensions, bool namesAreSizes, bool believes)
    {
        _model = model;
        _fixed = fixedDimensions ?? ImmutableDictionary<string, long>.Empty;
        _namesAreSizes = namesAreSizes;
        _believes = believes;
    }

    /// <summary>
    /// Describes a model: infers all values and sets their <see cref="Value.Type"/>, taking declarations for true wherever inference leaves something open.
    /// Declared types of graph inputs and outputs stay as they are (apart from dimensions that are fixed); what was inferred for outputs is in the result.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="fixedDimensions">Values of named dimensions, or null to fix none.</param>
    /// <returns>What is known of each value as long as the model keeps what it declares. For rewriting there is <see cref="Prove"/>.</returns>
    /// <exception cref="OnnxException">A node contradicts its operator's definition.</exception>
    public static InferenceResult Run(Model model, IReadOnlyDictionary<string, long>? fixedDimensions = null)
    {
        var facts = new ShapeInference(model, fixedDimensions, namesAreSizes: true, believes: false);
        facts.Infer(model.Graph);
        var engine = facts;
        if (facts._declaresMore)
        {
            engine = new(model, fixedDimensions, namesAreSizes: true, believes: true);
            engine.Infer(model.Graph);
        }
        foreach (var (value, type) in engine._types)
            if (!value.IsGraphInput || engine._fixed.Count > 0)
                value.Type = value is { IsGraphOutput: true, Type: { HasRank: true } declared } && ReferenceEquals(value.Graph, model.Graph)
                    ? engine.Fix(declared)
                    // What is written into a file as the type of an output must be true, unless the file had it.
                    : WithoutFresh(value.IsGraphOutput && facts._types.TryGetValue(value, out var proven) ? proven : type);
        foreach (var (value, type) in engine._nonTensorTypes)
            if (!value.IsGraphInput)
                value.NonTensorType = type;
        return engine.Result();
    }

    /// <summary>
    /// Describes a model whose nodes were changed: what was known of values before is dropped first, declarations of inner values among it, since it may not be
    /// true any more. The types of the model's inputs and outputs stay: they are its interface.
    /// </summary>
    /// <inheritdoc cref="Run" path="/param|/returns|/exception"/>
    public static InferenceResult RunAnew(Model model, IReadOnlyDictionary<string, long>? fixedDimensions = null)
    {
        foreach (var graph in model.Graphs)
            foreach (var value in graph.Values.Except(graph.SparseInitializers.Select(static s => s.Value)))
                if (!ReferenceEquals(graph, model.Graph) || value is { IsGraphInput: false, IsGraphOutput: false })
                    (value.Type, value.NonTensorType, value.CarriedType) = (value.Constant?.Type, null, null);
        return Run(model, fixedDimensions);
    }

    /// <summary>Infers what holds in every run that ends with a result, whatever else the model declares. Nothing is set.</summary>
    /// <param name="model">The model.</param>
    /// <param name="namesAreSizes">
    /// Whether a name that several input dimensions share is one size, as a generated class sees to it. ONNX Runtime does not: where it is false, all but the
    /// first are sizes of their own.
    /// </param>
    /// <exception cref="OnnxException">A node contradicts its operator's definition.</exception>
    public static InferenceResult Prove(Model model, bool namesAreSizes = false)
    {
        var engine = new ShapeInference(model, null, namesAreSizes, believes: false);
        engine.Infer(model.Graph);
        return engine.Result();
    }

    private InferenceResult Result() => new(_types, _constants, _elements, _contradictory);

    /// <summary>Infers one graph; types of a subgraph's inputs are set before.</summary>
    internal void Infer(Graph graph)
    {
        foreach (var initializer in graph.Initializers)
            if (Foldable.ConstantOf(initializer) is { } data)
                _types[initializer] = data.Type;
        foreach (var input in graph.Inputs)
            if (!_types.ContainsKey(input) && input.Type is { } type)
                _types[input] = graph.Parent is not null ? Believed(type) : _namesAreSizes ? Fix(type) : Apart(Fix(type));
        foreach (var (value, _) in graph.SparseInitializers)
            if (value.Type is { } type)
                _types[value] = type;
        foreach (var node in graph.Nodes)
        {
            if (_contradictory.Contains(graph))
                break;
            Infer(node);
        }
    }

    internal bool IsContradictory(Graph graph) => _contradictory.Contains(graph);

    /// <summary>Forgets what was inferred of the values of a graph, and of those within it.</summary>
    internal void Forget(Graph graph)
    {
        _contradictory.Remove(graph);
        foreach (var value in graph.Values)
        {
            _types.Remove(value);
            _constants.Remove(value);
            _elements.Remove(value);
            _nonTensorTypes.Remove(value);
        }
        foreach (var body in graph.Nodes.SelectMany(static n => n.Attributes.Values).SelectMany(static a => a.Graphs))
            Forget(body);
    }

    private void Infer(Node node)
    {
        var opset = _model.Opsets.GetValueOrDefault(node.Domain, 1);
        if (OperatorRegistry.Find(node, opset) is { } op)
        {
            try
            {
                NodeError.Guard(node, () => op.Infer(new(this, node, opset)));
                Fold(node, op, opset);
            }
            catch (OnnxException e) when (e.Code == OnnxErrors.InvalidOperator && (node.Graph.Parent is not null || _believes))
            {
                // A branch that is not taken for these shapes may contradict them; what follows in it stays unknown. So may declarations that do not hold.
                if (node.Graph.Parent is not null)
                    _contradictory.Add(node.Graph);
            }
        }
        foreach (var output in node.Outputs)
            if (output.Type is { } declared && output.Name.Length > 0)
            {
                declared = ConstantsOf(declared);
                var inferred = _types.GetValueOrDefault(output) ?? new(ElementType.Undefined, default);
                var merged = new TensorType(inferred.ElementType == ElementType.Undefined ? declared.ElementType : inferred.ElementType,
                    Shapes.Merge(inferred.Shape, declared.Shape));
                _declaresMore |= !merged.Equals(inferred);
                _types[output] = _believes ? merged : merged with { Shape = inferred.Shape };
            }
    }

    /// <summary>Computes a node whose inputs are all constant, if that is little work.</summary>
    private void Fold(Node node, Operator op, long opset)
    {
        if (!op.IsDeterministic || !op.CanExecute || node.Outputs.All(o => _constants.ContainsKey(o))
            || node.Attributes.Values.Any(a => a.Kind is AttributeKind.Graph or AttributeKind.Graphs))
            return;
        var inputs = new object?[node.Inputs.Count];
        long read = 0;
        for (var i = 0; i < inputs.Length; i++)
        {
            if (node.Inputs[i] is not { } input)
                continue;
            if (ConstantOf(input) is not { } constant)
                return;
            inputs[i] = constant;
            read += constant.Length;
        }
        if (read > MaxFoldedInput)
            return;
        foreach (var output in node.Outputs)
            if (output.Name.Length > 0 && (TypeOf(output)?.StaticShape is not { } shape || Size(shape) > MaxFoldedOutput))
                return;
        var context = new ExecutionContext(node, opset, inputs);
        NodeError.Guard(node, () => op.Execute(context));
        for (var i = 0; i < node.Outputs.Count; i++)
            if (node.Outputs[i].Name.Length > 0 && context.Outputs[i] is Tensor t)
                SetConstant(node.Outputs[i], t);
    }

    private static double Size(long[] shape) => shape.Aggregate(1.0, static (a, b) => a * b);

    internal TensorType? TypeOf(Value value) => _types.TryGetValue(value, out var t) ? t : value is { Producer: null, Type: { } declared } ? Believed(declared)
        : null;

    internal TypeProto? NonTensorTypeOf(Value value) => _nonTensorTypes.TryGetValue(value, out var t) ? t : value.NonTensorType as TypeProto;

    internal Tensor? ConstantOf(Value value) => Foldable.ConstantOf(value) ?? _constants.GetValueOrDefault(value);

    internal SymbolicTensor? ElementsOf(Value value)
    {
        if (_elements.TryGetValue(value, out var known))
            return known;
        if (ConstantOf(value) is not { Length: <= SymbolicTensor.MaxLength } constant
            || !(ElementTypes.IsInteger(constant.ElementType) || constant.ElementType == ElementType.Bool))
            return null;
        return _elements[value] = new(constant.Shape, [.. Numbers.Integers(constant).Select(static v => Dimension.Of(v))]);
    }

    internal void SetType(Value value, TensorType type)
    {
        if (value.Name.Length > 0)
            _types[value] = type;
    }

    internal void SetNonTensorType(Value value, TypeProto type)
    {
        if (value.Name.Length > 0)
            _nonTensorTypes[value] = type;
    }

    internal void SetConstant(Value value, Tensor data)
    {
        if (value.Name.Length == 0)
            return;
        _constants[value] = data;
        _types[value] = data.Type;
    }

    internal void SetElements(Value value, SymbolicTensor elements)
    {
        if (value.Name.Length == 0 || elements.Elements.Length > SymbolicTensor.MaxLength)
            return;
        _elements[value] = elements;
        if (!_types.TryGetValue(value, out var type))
            return;
        _types[value] = type with { Shape = Shapes.Of(elements.Shape.AsSpan()) };
        if (elements.IsConstant && (ElementTypes.IsInteger(type.ElementType) || type.ElementType == ElementType.Bool))
            _constants[value] = Numbers.Of(type.ElementType, elements.Shape, [.. elements.Elements.Select(static d => d.Value)]);
    }

    internal Dimension Fresh(string hint) => Dimension.Of(DimensionExpression.Fresh($"?{hint}{_fresh++}"));

    private static TensorType WithoutFresh(TensorType type) => !type.HasRank ? type : type with
    {
        Shape = [.. type.Shape.Select(static d => d is { IsConstant: false, IsUnknown: false } && d.Expression!.HasFresh ? Dimension.Unknown : d)],
    };

    /// <summary>An input's type in which every name that an earlier dimension has is a size of its own.</summary>
    private TensorType Apart(TensorType type) => !type.HasRank ? type : type with
    {
        Shape = [.. type.Shape.Select(d => d.Name is { } name && !_named.Add(name) ? Fresh(name) : d)],
    };

    /// <summary>What counts of a declaration that nothing checks.</summary>
    private TensorType Believed(TensorType type) => _believes ? type : type with { Shape = default };

    // Names of dimensions in declarations of inner values are written by exporters that gave each their own meaning; only numbers are believed.
    private static TensorType ConstantsOf(TensorType type) => !type.HasRank ? type : type with
    {
        Shape = [.. type.Shape.Select(static d => d.IsConstant ? d : Dimension.Unknown)],
    };

    private TensorType Fix(TensorType type) => _fixed.Count == 0 || !type.HasRank ? type : type with
    {
        Shape = [.. type.Shape.Select(d => d.Expression is { } e && !d.IsConstant ? Dimension.Of(e.Substitute(_fixed)) : d)],
    };
}
