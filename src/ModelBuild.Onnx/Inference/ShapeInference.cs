using System.Collections.Immutable;
using ModelBuild.Onnx.Proto;

namespace ModelBuild.Onnx;

/// <summary>
/// Infers element types and shapes through a model. Dimensions are followed as expressions over the named ones, and so are the elements of small
/// integer tensors, so that shapes computed in the graph (Shape, Gather, Concat, Reshape) are understood. Work per node is bounded.
/// </summary>
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
    private readonly HashSet<Graph> _contradictory = [];
    private int _fresh;

    private ShapeInference(Model model, IReadOnlyDictionary<string, long>? fixedDimensions)
    {
        _model = model;
        _fixed = fixedDimensions ?? ImmutableDictionary<string, long>.Empty;
    }

    /// <summary>
    /// Infers all values of a model and sets their <see cref="Value.Type"/>. Declared types of graph inputs and outputs stay as they are (apart from
    /// dimensions that are fixed); what was inferred for outputs is in the result.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="fixedDimensions">Values of named dimensions, or null to fix none.</param>
    /// <returns>What is known of each value.</returns>
    /// <exception cref="OnnxException">A node contradicts its operator's definition.</exception>
    public static InferenceResult Run(Model model, IReadOnlyDictionary<string, long>? fixedDimensions = null)
    {
        var engine = new ShapeInference(model, fixedDimensions);
        engine.Run(model.Graph);
        foreach (var (value, type) in engine._types)
            if (!value.IsGraphInput || engine._fixed.Count > 0)
                value.Type = value is { IsGraphOutput: true, Type: { HasRank: true } declared } && ReferenceEquals(value.Graph, model.Graph)
                    ? engine.Fix(declared) : engine.WithoutFresh(type);
        foreach (var (value, type) in engine._nonTensorTypes)
            if (!value.IsGraphInput)
                value.NonTensorType = type;
        return new(engine._types, engine._constants, engine._elements, engine._contradictory);
    }

    /// <summary>Infers one graph; types of a subgraph's inputs are set before.</summary>
    internal void Run(Graph graph)
    {
        foreach (var input in graph.Inputs)
            if (!_types.ContainsKey(input) && input.Type is { } type)
                _types[input] = Fix(type);
        foreach (var initializer in graph.Initializers)
            _types[initializer] = initializer.Constant!.Type;
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
            catch (OnnxException e) when (e.Code == OnnxErrors.InvalidOperator && node.Graph.Parent is not null)
            {
                // A branch that is not taken for these shapes may contradict them; what follows in it stays unknown.
                _contradictory.Add(node.Graph);
            }
        }
        // Whatever inference leaves open, the file may have declared.
        foreach (var output in node.Outputs)
            if (output.Type is { } declared && output.Name.Length > 0)
            {
                declared = ConstantsOf(declared);
                _types[output] = _types.TryGetValue(output, out var inferred)
                    ? new(inferred.ElementType == ElementType.Undefined ? declared.ElementType : inferred.ElementType, Shapes.Merge(inferred.Shape, declared.Shape))
                    : declared;
            }
    }

    /// <summary>Computes a node whose inputs are all constant, if that is little work.</summary>
    private void Fold(Node node, Operator op, long opset)
    {
        if (!op.IsDeterministic || !op.CanExecute || node.Outputs.All(o => _constants.ContainsKey(o)) || node.Attributes.Values.Any(a => a.Kind is AttributeKind.Graph or AttributeKind.Graphs))
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

    internal TensorType? TypeOf(Value value) => _types.TryGetValue(value, out var t) ? t : value.Producer is null ? value.Type : null;

    internal TypeProto? NonTensorTypeOf(Value value) => _nonTensorTypes.TryGetValue(value, out var t) ? t : value.NonTensorType as TypeProto;

    internal Tensor? ConstantOf(Value value) => Foldable.ConstantOf(value) ?? _constants.GetValueOrDefault(value);

    internal SymbolicTensor? ElementsOf(Value value)
    {
        if (_elements.TryGetValue(value, out var known))
            return known;
        if (ConstantOf(value) is not { Length: <= SymbolicTensor.MaxLength } constant || !(ElementTypes.IsInteger(constant.ElementType) || constant.ElementType == ElementType.Bool))
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

    // Fresh names start with a character that no exporter writes; they are not shown outside.
    private const char FreshMark = '?';

    internal Dimension Fresh(string hint) => Dimension.Named($"{FreshMark}{hint}{_fresh++}");

    private TensorType WithoutFresh(TensorType type) => !type.HasRank ? type : type with
    {
        Shape = [.. type.Shape.Select(static d => d is { IsConstant: false, IsUnknown: false } && d.Expression!.Symbols.Any(static s => s[0] == FreshMark) ? Dimension.Unknown : d)],
    };

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
