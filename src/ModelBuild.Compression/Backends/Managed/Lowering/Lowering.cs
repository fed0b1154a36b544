using System.Collections.Immutable;
using ModelBuild.Compression.Planning;
using ModelBuild.Kernels;
using ModelBuild.Managed;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>
/// Lowers one graph to a program, node by node in topological order. Operators' own files say which kernels they become; here is what they share: where values
/// lie, in which layout, and what has been fused into another node's call.
/// </summary>
internal sealed class Lowering
{
    // Profile and tool are left out of the program: equal candidates of several profiles share one file.
    private readonly ProgramBuilder _builder = new("", "");
    private Dictionary<Value, TensorView> _views = [];
    private Dictionary<Value, TensorView> _flattened = [];
    private Dictionary<Value, Action> _deferred = [];
    private readonly HashSet<Node> _done = [];
    private readonly HashSet<Node> _needed = [];
    private readonly Suppositions _suppositions;
    private readonly Graph _graph;
    private readonly ModelDescription _description;
    private readonly SizeLowering _sizes;
    private readonly InferenceResult _facts;
    private readonly ConstantEvaluation _folding = new();
    private readonly Dictionary<Value, Tensor> _widened = [];
    private readonly LoweringPlan? _plan;
    private readonly List<string> _winograd = [];

    /// <summary>Prepares to lower a graph.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="suppositions">What branches were chosen by.</param>
    /// <param name="description">The interface that the program serves.</param>
    /// <param name="plan">What was chosen for the model; null for nothing.</param>
    public Lowering(Graph graph, Suppositions suppositions, ModelDescription description, LoweringPlan? plan)
    {
        _plan = plan;
        _suppositions = suppositions;
        _graph = graph;
        // Buffers have the sizes that inference proves, not those that the file declares; a name of the interface is one size, which every call gives.
        _facts = ShapeInference.Prove(graph.Model, namesAreSizes: true);
        _description = description;
        _sizes = new(_builder, description.Symbols);
        Images = new(this);
    }

    /// <summary>Images as convolutions want them.</summary>
    public Images Images { get; }

    /// <summary>Convolutions that Winograd's algorithm could compute, by <see cref="Node.Key"/>, of what is lowered by now.</summary>
    public IReadOnlyList<string> WinogradLayers => _winograd;

    /// <summary>Whether the plan has a convolution computed by Winograd's algorithm, which could.</summary>
    public bool TakesWinograd(Node node)
    {
        _winograd.Add(node.Key);
        return _plan?.IsByWinograd(node.Key) == true;
    }

    /// <summary>The artifact.</summary>
    /// <exception cref="NotLoweredException">Something has no kernel.</exception>
    public byte[] Run()
    {
        foreach (var input in _graph.Inputs.Where(i => i.Constant is null))
        {
            var declared = DeclaredTypeOf(input);
            var view = Allocate(ShapeOf(input), declared);
            _builder.AddInput(input.Name, view.Base, _sizes.Of(view.Extents));
            // Kernels compute floats of 16 bits in 32.
            _views[input] = declared == TypeOf(input) ? view : MapLowering.Convert(this, input.Name, view, Allocate(view.Extents, TypeOf(input)));
        }
        FindNeeded(_graph, []);
        Lower(_graph);
        var taken = _graph.Inputs.Where(_views.ContainsKey).Select(i => _views[i].Base).ToHashSet();
        foreach (var output in _graph.Outputs)
        {
            var view = Read(output);
            if (DeclaredTypeOf(output) is var declared && declared != view.Type)
                view = MapLowering.Convert(this, output.Name, view, Allocate(view.Extents, declared));
            // A caller gets memory of the output's own, in row-major order.
            if (!view.IsRowMajor || view.Base.Kind != OperandKind.Buffer || view.Border is not null || view.Offset != 0 || !IsWhole(view)
                || !taken.Add(view.Base))
                view = CopyTo(Allocate(view.Extents, view.Type), view, output.Producer?.DisplayName ?? output.Name);
            _builder.AddOutput(output.Name, view.Base, _sizes.Of(view.Extents));
        }
        using var stream = new MemoryStream();
        _builder.Write(stream, _description.SignatureHash);
        return stream.ToArray();
    }

    private void Lower(Graph graph)
    {
        foreach (var (a, b) in _suppositions.Of(graph))
            Require(a, b, graph.Name);
        QuantizationLowering.FindMaps(this, graph);
        foreach (var node in graph.Nodes)
        {
            if (_needed.Contains(node) && !_done.Contains(node))
                Lower(node);
        }
    }

    private void Lower(Node node)
    {
        _sizes.Source = node.DisplayName;
        try
        {
            LoweringOf(node).Lower(this, node);
        }
        catch (NotLoweredException e) when (e.Node is null)
        {
            throw new NotLoweredException($"'{node.DisplayName}' ({node.QualifiedOpType}): {e.Message}", node);
        }
    }

    private bool IsWhole(TensorView view) => _builder.ElementsOf(view.Base) is var whole && _builder.Product(_sizes.Of(view.Extents)) == whole;

    /// <summary>
    /// Lowers the body of a node as a region, whose calls run or not, or several times. What is placed or copied there is not there for what comes behind.
    /// </summary>
    /// <param name="body">The body.</param>
    /// <param name="open">Opens the region, and places what the body is given.</param>
    /// <param name="close">Hands on what the body computed, in the region still.</param>
    public void LowerRegion(Graph body, Func<ProgramBuilder, int> open, Action<ProgramBuilder> close)
    {
        var before = (_views, _flattened, _deferred);
        (_views, _flattened, _deferred) = (new(_views), new(_flattened), new(_deferred));
        Images.Region(() => _sizes.Region(() =>
        {
            var opened = open(_builder);
            Lower(body);
            close(_builder);
            _builder.CloseRegion(opened);
        }));
        (_views, _flattened, _deferred) = before;
    }

    /// <summary>A value as it has to be to be copied to a place.</summary>
    public TensorView ReadFor(Value value, TensorView target, Node node)
    {
        var view = Read(value);
        if (view.Type != target.Type || view.Rank != target.Rank || view.Extents.Zip(target.Extents).Any(d => !IsSame(d.First, d.Second)))
            throw Unsupported(node);
        return view with { Extents = target.Extents };
    }

    /// <summary>Nodes whose outputs a kernel reads. What only describes, such as the shape that a Reshape is told, is known from inference.</summary>
    /// <param name="graph">The graph, or a body within it.</param>
    /// <param name="values">Values of graphs around it that are read.</param>
    private void FindNeeded(Graph graph, HashSet<Value> values)
    {
        values.UnionWith(graph.Outputs);
        foreach (var node in graph.Nodes.Reverse())
        {
            if (!node.Outputs.Any(values.Contains) || node.Outputs.All(o => ConstantOf(o) is not null))
                continue;
            _needed.Add(node);
            var described = LoweringOf(node).Described;
            for (var i = 0; i < node.Inputs.Count; i++)
            {
                if (node.Inputs[i] is { } input && !described.Contains(i))
                    values.Add(input);
            }
            foreach (var body in node.Attributes.Values.SelectMany(static a => a.Graphs))
                FindNeeded(body, values);
        }
    }

    private static OperatorLowering LoweringOf(Node node) => OperatorLowerings.Find(node) ?? throw Unsupported(node);

    // ---- Sizes -------------------------------------------------------------------------------------------------------------------------------------------

    /// <summary>The expression of a size.</summary>
    public Size Size(Dimension dimension) => _sizes.Of(dimension);

    /// <summary>
    /// Whether a dimension is another one, or is so in every call that the model can run: what is cut off at a bound, as the first positions of a table are,
    /// has the length that was asked for, or does not fit. Calls are held to it.
    /// </summary>
    public bool IsSame(Dimension a, Dimension b)
    {
        if (_sizes.AreEqual(a, b))
            return true;
        if (!IsCutOff(a, b) && !IsCutOff(b, a))
            return false;
        Require(a, b, _sizes.Source);
        return true;
    }

    /// <summary>Says that a dimension is no smaller than a number in every call that the program takes.</summary>
    public void RequireAtLeast(Dimension dimension, long least, Node node)
    {
        if (!dimension.IsConstant)
            Require(SizeLowering.AtMost(dimension, least), least, node.DisplayName);
    }

    private void Require(Dimension a, Dimension b, string source) => _builder.Require(Size(a), Size(b), source);

    private static bool IsCutOff(Dimension cut, Dimension whole)
    {
        if (cut.Expression?.Terms.ToArray() is not [(1, [{ Kind: DimensionExpression.AtomKind.Min } least])])
            return false;
        return least.Left is { } l && least.Right is { } r && (l.TryConstant(out _) && r.Equals(whole.Expression) || r.TryConstant(out _)
            && l.Equals(whole.Expression));
    }

    /// <summary>The dimensions of a value.</summary>
    public ImmutableArray<Dimension> ShapeOf(Value value) => _facts.TypeOf(value) is { HasRank: true } type && !type.Shape.Any(static d => d.IsUnknown)
        ? [.. type.Shape.Select(_sizes.Normalized)] : throw new NotLoweredException($"the shape of '{value.Name}' is not known");

    /// <summary>The type of a value's elements in the program: floats of 16 bits are computed in 32.</summary>
    public ModelElementType TypeOf(Value value) => DeclaredTypeOf(value) is var type && type == ModelElementType.Float16 ? ModelElementType.Float : type;

    private ModelElementType DeclaredTypeOf(Value value) => _facts.TypeOf(value)?.ElementType is { } type
        && type is not (ElementType.String or ElementType.Undefined)
        && Enum.IsDefined((ModelElementType)(byte)type) ? (ModelElementType)(byte)type
        : throw new NotLoweredException($"tensors of {_facts.TypeOf(value)?.ElementType.ToString() ?? "an unknown type"} are not supported ('{value.Name}')");

    /// <summary>The data of a value that is constant, else null.</summary>
    public Tensor? ConstantOf(Value? value)
    {
        if (value is null || (value.Constant ?? _facts.ConstantOf(value) ?? _folding.Of(value)) is not { } data)
            return null;
        if (data.ElementType != ElementType.Float16)
            return data;
        if (!_widened.TryGetValue(value, out var wide))
            _widened[value] = wide = Tensor.Of(Array.ConvertAll(data.ToArray<Half>(), static h => (float)h), data.Shape.AsSpan());
        return wide;
    }

    /// <summary>The integers of an input that describes.</summary>
    /// <returns>Null where the input is left out.</returns>
    /// <exception cref="NotLoweredException">They are not known when the model is compiled.</exception>
    public long[]? Integers(Node node, int index) => node.Input(index) is not { } value ? null
        : ConstantOf(value) is { } constant ? Numbers.Integers(constant)
        : throw new NotLoweredException($"'{node.DisplayName}' ({node.OpType}): '{value.Name}' is not known when the model is compiled", node);

    /// <summary>The sizes that an input describes, as far as inference knows them.</summary>
    public SymbolicTensor? ElementsOf(Value value) => _facts.ElementsOf(value) is { } known
        ? known with { Elements = [.. known.Elements.Select(_sizes.Normalized)] } : null;

    // ---- Values ------------------------------------------------------------------------------------------------------------------------------------------

    /// <summary>Where a value lies; a constant is stored as it is.</summary>
    public TensorView Read(Value value)
    {
        if (_views.TryGetValue(value, out var view))
            return view;
        if (_deferred.Remove(value, out var compute))
        {
            compute();
            return _views[value];
        }
        if (ConstantOf(value) is not { } constant)
            throw new NotLoweredException($"'{value.Name}' is not computed by a managed kernel");
        view = Constant(constant);
        _views[value] = view;
        return view;
    }

    /// <summary>Where a value lies that a kernel reads as this type.</summary>
    public TensorView Read(Node node, int index, ModelElementType type = ModelElementType.Float)
    {
        var view = Read(node.Input(index) ?? throw Unsupported(node));
        return view.Type == type ? view : throw Lowering.Unsupported(node, view.Type);
    }

    /// <summary>A value in row-major order without gaps; copied where it lies otherwise.</summary>
    public TensorView RowMajor(TensorView view, Node node) => view.IsRowMajor ? view : CopyTo(Allocate(view.Extents, view.Type), view, node.DisplayName);

    /// <summary>A value whose last dimension follows itself in memory and whose others make rows of one distance; copied where it lies otherwise.</summary>
    /// <returns>The view, and the elements from one row to the next.</returns>
    public (TensorView View, Dimension Row) Rows(TensorView view, Node node)
    {
        if (RowDistance(view) is { } row)
            return (view, row);
        view = CopyTo(Allocate(view.Extents, view.Type), view, node.DisplayName);
        return (view, view.Rank == 0 ? 1 : view.Extents[^1]);
    }

    private static Dimension? RowDistance(TensorView view)
    {
        if (view.Rank == 0)
            return 1;
        if (view.Strides[^1] != 1 && view.Extents[^1] != 1)
            return null;
        Dimension? row = null;
        Dimension next = 0;
        for (var d = view.Rank - 2; d >= 0; d--)
        {
            if (view.Extents[d] == 1)
                continue;
            if (row is null)
                row = view.Strides[d];
            else if (view.Strides[d] != next)
                return null;
            next = view.Strides[d] * view.Extents[d];
        }
        return row ?? view.Extents[^1];
    }

    /// <summary>Stores raw values.</summary>
    public TensorView Constant(Tensor tensor)
    {
        if (tensor.ElementType == ElementType.String || !Enum.IsDefined((ModelElementType)(byte)tensor.ElementType))
            throw new NotLoweredException($"tensors of {tensor.ElementType} are not supported");
        var operand = _builder.AddConstant(Packings.Raw, tensor.Bytes.Span, ModelElementTypes.SizeOf((ModelElementType)(byte)tensor.ElementType));
        return TensorView.Dense(operand, [.. tensor.Shape.Select(static d => (Dimension)d)], [.. Enumerable.Range(0, tensor.Rank)],
            (ModelElementType)(byte)tensor.ElementType);
    }

    /// <summary>Stores packed weights.</summary>
    public Operand Packed<T>(int packing, ReadOnlySpan<T> values) where T : unmanaged => _builder.AddConstant(packing, values);

    /// <summary>
    /// Stores a packed matrix of floats, in 8 bits where it was made of integers of 8 bits and a scale for each column.
    /// </summary>
    /// <param name="weights">The value that it was made of; its outputs are channels of the first dimension, or of the last one.</param>
    /// <param name="packed">The matrix as <see cref="DenseF32Packing"/> packs it.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="outputsFirst">Whether outputs are the first dimension of the value.</param>
    public Operand PackedColumns(Value? weights, ReadOnlySpan<float> packed, int rows, int columns, bool outputsFirst)
    {
        if (weights is null || ConstantOf(weights) is not { } values || Integers8(weights, values.Length) is not { } integers)
            return Packed(Packings.DenseF32, packed);
        return _builder.AddColumns(packed, rows, Scales(values, integers, rows, columns, outputsFirst));
    }

    /// <summary>
    /// Stores 3x3 kernels for Winograd's algorithm, in 8 bits where they were made of integers of 8 bits and a scale for each output.
    /// </summary>
    /// <param name="weights">The value that they were made of.</param>
    /// <param name="kernels">[outputs, inputs, 3, 3].</param>
    /// <param name="outputs">Output channels.</param>
    /// <param name="inputs">Input channels.</param>
    public Operand PackedKernels(Value? weights, ReadOnlySpan<float> kernels, int outputs, int inputs) => _builder.AddKernels(kernels, outputs, inputs,
        weights is not null && ConstantOf(weights) is { } values && Integers8(weights, values.Length) is { } integers
            ? Scales(values, integers, inputs * 9, outputs, outputsFirst: true) : []);

    /// <summary>Stores 3x3 kernels of integers for Winograd's algorithm.</summary>
    public Operand PackedKernels(ReadOnlySpan<sbyte> kernels, int outputs, int inputs) => _builder.AddKernels(kernels, outputs, inputs);

    /// <summary>The scale of each column that makes values of integers, if one does.</summary>
    private static float[] Scales(Tensor values, Tensor integers, int rows, int columns, bool outputsFirst)
    {
        var scales = new float[columns];
        var v = values.Span<float>();
        var q = integers.Span<sbyte>();
        for (var c = 0; c < columns; c++)
        {
            // By the largest integer of the column: the quotient is nearest to the scale there.
            var best = 0;
            for (var r = 1; r < rows; r++)
            {
                if (Math.Abs((int)q[At(r, c)]) > Math.Abs((int)q[At(best, c)]))
                    best = r;
            }
            if (q[At(best, c)] == 0)
                continue;
            var scale = v[At(best, c)] / q[At(best, c)];
            scales[c] = new[] { scale, MathF.BitIncrement(scale), MathF.BitDecrement(scale) }.FirstOrDefault(s => Fits(s, c, values, integers), scale);
        }
        return scales;

        int At(int row, int column) => outputsFirst ? column * rows + row : row * columns + column;

        bool Fits(float scale, int column, Tensor floats, Tensor bytes)
        {
            for (var r = 0; r < rows; r++)
            {
                if (bytes.Span<sbyte>()[At(r, column)] * scale != floats.Span<float>()[At(r, column)])
                    return false;
            }
            return true;
        }
    }

    /// <summary>The integers of 8 bits, as many, that a constant value is computed from; null if there are none.</summary>
    private static Tensor? Integers8(Value value, long length)
    {
        if (value.Constant is { } constant)
            return constant.ElementType == ElementType.Int8 && constant.Length == length ? constant : null;
        return value.Producer?.Inputs.OfType<Value>().Select(i => Integers8(i, length)).FirstOrDefault(t => t is not null);
    }

    /// <summary>A new buffer, in row-major order if no other order is asked for.</summary>
    public TensorView Allocate(ImmutableArray<Dimension> extents, ModelElementType type, ImmutableArray<int> order = default)
    {
        var buffer = _builder.AddBuffer(type, _sizes.Of(extents));
        return TensorView.Dense(buffer, extents, order.IsDefault ? [.. Enumerable.Range(0, extents.Length)] : order, type);
    }

    /// <summary>A new buffer for a value, in row-major order if no other order is asked for.</summary>
    public TensorView Write(Value value, ImmutableArray<int> order = default) => _views[value] = Allocate(ShapeOf(value), TypeOf(value), order);

    /// <summary>A new buffer for a value, in the memory order of the first operand that has all of its dimensions: images stay as convolutions want
    /// them.</summary>
    public TensorView WriteLike(Value value, params ReadOnlySpan<TensorView> operands)
    {
        var shape = ShapeOf(value);
        foreach (var operand in operands)
        {
            if (operand.Base.Kind == OperandKind.Buffer && operand.Rank == shape.Length && operand.Extents.SequenceEqual(shape))
                return Images.IsImage(operand) && operand.Order[^1] == 1 && value.Producer is { } node ? Images.Write(value, node) : Write(value,
                    operand.Order);
        }
        foreach (var operand in operands)
        {
            if (operand.Base.Kind == OperandKind.Buffer && operand.Rank == shape.Length)
                return Write(value, operand.Order);
        }
        return Write(value);
    }

    /// <summary>Whether it is known where a value lies.</summary>
    public bool IsPlaced(Value value) => _views.ContainsKey(value) || _deferred.ContainsKey(value);

    /// <summary>Says how a value is computed as soon as a kernel reads it; if none does, it is not.</summary>
    public void Defer(Value value, Action compute) => _deferred[value] = compute;

    /// <summary>The image whose elements, channels last, a value stands for that was flattened with channels first; null for others.</summary>
    public TensorView? Flattened(Value value) => _flattened.GetValueOrDefault(value);

    /// <summary>Says that a value is an image's elements: only layers read it that can reorder their weights.</summary>
    public void PlaceFlattened(Value value, TensorView image) => _flattened[value] = image;

    /// <summary>Says where a value lies.</summary>
    public void Place(Value value, TensorView view) => _views[value] = view;

    /// <summary>The operand of a view, as calls take it.</summary>
    public Operand Operand(TensorView view) => view.Base.Kind == OperandKind.Buffer && view.Offset != 0 ? Kernels.Operand.Buffer(view.Base.Index,
        Size(view.Offset))
        : view.Base;

    // ---- Calls -------------------------------------------------------------------------------------------------------------------------------------------

    /// <summary>Adds a kernel call.</summary>
    public void Call<T>(in T arguments, string source) where T : unmanaged, IKernelArguments<T> => _builder.AddCall(arguments, source);

    /// <summary>Copies a value into another view of its dimensions.</summary>
    /// <returns>The view that was written.</returns>
    public TensorView CopyTo(TensorView target, TensorView source, string node)
    {
        var nest = Nest.Of(this, target, longestInner: true, source);
        Call(new CopyArguments
        {
            Type = source.Type, X = Operand(source), Y = Operand(target), Extents = nest.Extents, XStrides = nest.Strides[1], YStrides = nest.Strides[0],
        }, node);
        return target;
    }

    // ---- Fusion ------------------------------------------------------------------------------------------------------------------------------------------

    /// <summary>Says that a node was lowered with another one.</summary>
    public void Fused(Node node) => _done.Add(node);

    public bool IsDone(Node node) => _done.Contains(node);

    /// <summary>The Relu or Clip that follows as a value's only user is done by the kernel that writes the value.</summary>
    public (Value Output, float Low, float High) Activation(Value output)
    {
        if (output.OnlyUser is { } user && (user.Is("Relu") || user.Is("Clip") && ReferenceEquals(user.Inputs[0], output)) && Bounds(user) is { } bounds)
        {
            Fused(user);
            return (user.Output, bounds.Low, bounds.High);
        }
        return (output, float.NegativeInfinity, float.PositiveInfinity);
    }

    /// <summary>The bounds of a Relu or Clip of floats; null where they are not known.</summary>
    public (float Low, float High)? Bounds(Node node)
    {
        if (node.Is("Relu"))
            return (0, float.PositiveInfinity);
        var bounds = (Low: float.NegativeInfinity, High: float.PositiveInfinity);
        for (var i = 1; i <= 2; i++)
        {
            if (node.Input(i) is not { } value)
                continue;
            if (ConstantOf(value) is not { ElementType: ElementType.Float, Length: 1 } bound)
                return null;
            bounds = i == 1 ? bounds with { Low = bound.Span<float>()[0] } : bounds with { High = bound.Span<float>()[0] };
        }
        return bounds;
    }

    /// <summary>A node that no kernel takes in the form that it has.</summary>
    public static NotLoweredException Unsupported(Node node) => new($"'{node.DisplayName}' ({node.QualifiedOpType}) has no managed kernel in this form", node);

    /// <summary>A node that no kernel takes for elements of this type.</summary>
    public static NotLoweredException Unsupported(Node node, ModelElementType type) =>
        new($"'{node.DisplayName}' ({node.QualifiedOpType}) has no managed kernel for {type}", node);
}
