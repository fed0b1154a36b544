using ModelBuild.Kernels;
using ModelBuild.Managed;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>Where a value lies in a program.</summary>
/// <param name="Operand">The buffer.</param>
/// <param name="Shape">Its dimensions; a reshape gives the same buffer other ones.</param>
/// <param name="Type">Its element type.</param>
internal sealed record Located(ProgramOperand Operand, IReadOnlyList<Dimension> Shape, ModelElementType Type);

/// <summary>Lowers one graph, node by node. Nodes that belong to a larger pattern are lowered with its first node.</summary>
internal sealed class ProgramLowering
{
    private static readonly Dictionary<string, Action<ProgramLowering, Node>> Lowerings = new(StringComparer.Ordinal)
    {
        ["Gemm"] = static (l, n) => l.LowerDense(n),
        ["MatMul"] = static (l, n) => l.LowerDense(n),
        ["MatMulInteger"] = static (l, n) => l.LowerDynamic(n),
        ["DynamicQuantizeLinear"] = static (_, n) => LeaveToProduct(n),
        ["QuantizeLinear"] = static (l, n) => l.LowerQuantize(n),
        ["DequantizeLinear"] = static (l, n) => l.LowerDequantize(n),
        ["Relu"] = static (l, n) => l.LowerClamp(n),
        ["Clip"] = static (l, n) => l.LowerClamp(n),
        ["Sigmoid"] = static (l, n) => l.LowerUnary(n, UnaryOperation.Sigmoid),
        ["Tanh"] = static (l, n) => l.LowerUnary(n, UnaryOperation.Tanh),
        ["Softmax"] = static (l, n) => l.LowerSoftmax(n),
        ["Mul"] = static (l, n) => l.LowerProduct(n),
        ["Add"] = static (l, n) => l.LowerBinary(n, BinaryOperation.Add),
        ["Reshape"] = static (l, n) => l.LowerView(n),
        ["Flatten"] = static (l, n) => l.LowerView(n),
        ["Squeeze"] = static (l, n) => l.LowerView(n),
        ["Unsqueeze"] = static (l, n) => l.LowerView(n),
        ["Identity"] = static (l, n) => l.LowerView(n),
    };

    /// <summary>The operators of the standard domain that are lowered, in the forms that have a kernel.</summary>
    public static IReadOnlyCollection<string> Operators => Lowerings.Keys;

    // Profile and tool are left out of the program: equal candidates of several profiles share one file.
    private readonly ProgramBuilder _builder = new("", "");
    private readonly Dictionary<Value, Located> _located = [];
    private readonly HashSet<Node> _done = [];
    private readonly Graph _graph;
    private readonly ModelDescription _description;
    private readonly SizeLowering _sizes;
    private readonly InferenceResult _facts;

    public ProgramLowering(Graph graph, ModelDescription description)
    {
        _graph = graph;
        // Buffers have the sizes that inference proves, not those that the file declares; a name of the interface is one size, which every call gives.
        _facts = ShapeInference.Prove(graph.Model, namesAreSizes: true);
        _description = description;
        _sizes = new(_builder, description.Symbols);
    }

    public byte[] Run()
    {
        foreach (var input in _graph.Inputs.Where(i => i.Constant is null))
        {
            var buffer = Allocate(input, ModelType(input.Type!.ElementType));
            _builder.AddInput(input.Name, buffer.Operand, _sizes.Of(buffer.Shape));
        }
        foreach (var node in _graph.Nodes)
            if (!_done.Contains(node))
                Lower(node);
        foreach (var output in _graph.Outputs)
        {
            var located = Locate(output);
            // An input that is handed straight out needs memory of its own.
            if (_graph.Inputs.Any(i => _located.TryGetValue(i, out var l) && l.Operand == located.Operand))
                located = Copy(located, output.Producer?.DisplayName ?? output.Name);
            _builder.AddOutput(output.Name, located.Operand, _sizes.Of(located.Shape));
        }
        using var stream = new MemoryStream();
        _builder.Write(stream, _description.SignatureHash);
        return stream.ToArray();
    }

    private void Lower(Node node)
    {
        if (node.Domain.Length > 0 || !Lowerings.TryGetValue(node.OpType, out var lower))
            throw Unsupported(node);
        lower(this, node);
    }

    /// <summary>What quantizes at every call is lowered with the product that it feeds.</summary>
    private static void LeaveToProduct(Node node)
    {
        if (!node.Outputs.All(o => o.Uses.All(u => u.Node.OpType is "MatMulInteger" or "Mul")))
            throw Unsupported(node);
    }

    private void LowerProduct(Node node)
    {
        // The scale of a dynamic product belongs to that.
        if (node.Inputs.All(i => i?.Producer is not { OpType: "DynamicQuantizeLinear" }))
            LowerBinary(node, BinaryOperation.Multiply);
    }

    private void LowerView(Node node) => _located[node.Output] = Locate(node.Inputs[0]!) with { Shape = ShapeOf(node.Output) };

    /// <summary>Gemm or MatMul by constant weights: in float, or in integers where it reads dequantized ones.</summary>
    private void LowerDense(Node node)
    {
        var x = node.Inputs[0]!;
        if (x.Producer is { OpType: "DequantizeLinear" } read && node.Inputs[1]?.Producer is { OpType: "DequantizeLinear" } unpacked
            && unpacked.Inputs[0]!.Constant is not null)
        {
            LowerInteger(node, read, unpacked);
            return;
        }
        if (node.Inputs[1]!.Constant is not { ElementType: ElementType.Float, Rank: 2 } weights || node.Is("Gemm") && node.Int("transA") == 1)
            throw Unsupported(node);
        var transposed = node.Is("Gemm") && node.Int("transB") == 1;
        var (k, n) = Dimensions(weights, transposed);
        var alpha = node.Is("Gemm") ? node.Float("alpha", 1) : 1;
        var values = alpha == 1 ? weights.Span<float>() : weights.ToArray<float>().Select(w => w * alpha).ToArray();
        var (group, low, high) = Activation(node, node.Output);
        var input = LocateFloats(x, node);
        var output = Allocate(group, ModelElementType.Float);
        _builder.AddCall(KernelIds.DenseF32, node.DisplayName,
            [input.Operand, _builder.AddConstant<float>(Packings.DenseF32, DenseF32Packing.Pack(values, k, n, transposed)), Bias(node, n), output.Operand],
            [Rows(input), _builder.Number(k), _builder.Number(n)], low, high);
    }

    private void LowerInteger(Node node, Node read, Node unpacked)
    {
        var transposed = node.Is("Gemm") && node.Int("transB") == 1;
        if (node.Is("Gemm") && (node.Int("transA") == 1 || node.Float("alpha", 1) != 1 || node.Float("beta", 1) != 1))
            throw Unsupported(node);
        var input = Locate(read.Inputs[0]!);
        // One scale for all weights, or one for each output: anything else is another tool's form.
        if (unpacked.Inputs[0]!.Constant!.Rank != 2 || unpacked.Inputs[1]!.Constant is not { } weightScales || weightScales.Length > 1
            && unpacked.Int("axis", 1) is var axis && axis != (transposed ? 0 : 1) && axis != (transposed ? -2 : -1))
            throw Unsupported(node);
        var (k, n) = Dimensions(unpacked.Inputs[0]!.Constant!, transposed);
        var (weights, packing, scales) = IntegerWeights(node, unpacked.Inputs[0]!.Constant!, weightScales, unpacked.Input(2)?.Constant, k, n, transposed);
        var (inputScale, inputZero) = Mapping(read);
        var signed = input.Type == ModelElementType.Int8 ? 1 : 0;
        var bias = node.Input(2)?.Producer is { OpType: "DequantizeLinear" } b ? b : null;
        if (node.Input(2) is not null && !IsBias(bias, scales, inputScale))
            throw Unsupported(node);

        if (node.Output.OnlyUser is { OpType: "QuantizeLinear" } write)
        {
            _done.Add(write);
            var (outputScale, outputZero) = Mapping(write);
            var type = ModelType(write.Output.Type!.ElementType);
            var output = Allocate(write.Output, type);
            var multipliers = scales.Select(s => (float)((double)inputScale * s / outputScale)).ToArray();
            var (low, high) = type == ModelElementType.Int8 ? (-128, 127) : (0, 255);
            _builder.AddCall(KernelIds.DenseInt8, node.DisplayName,
                [input.Operand, weights, bias is null ? ProgramOperand.Absent : _builder.AddConstant(Packings.Raw, bias.Inputs[0]!.Constant!.Span<int>()),
                    _builder.AddConstant<float>(Packings.Raw, multipliers), output.Operand],
                [Rows(input), _builder.Number(k), _builder.Number(n), packing, _builder.Number(signed), _builder.Number(inputZero),
                    _builder.Number(type == ModelElementType.Int8 ? 1 : 0),
                    _builder.Number(outputZero), _builder.Number(low), _builder.Number(high)]);
            return;
        }
        var (group, minimum, maximum) = Activation(node, node.Output);
        var floats = Allocate(group, ModelElementType.Float);
        var floatBias = bias is null ? ProgramOperand.Absent : _builder.AddConstant<float>(Packings.Raw, Dequantized(bias));
        _builder.AddCall(KernelIds.DenseInt8ToF32, node.DisplayName,
            [input.Operand, weights, floatBias, _builder.AddConstant<float>(Packings.Raw, scales.Select(s => inputScale * s).ToArray()), floats.Operand],
            [Rows(input), _builder.Number(k), _builder.Number(n), packing, _builder.Number(signed), _builder.Number(inputZero)], minimum, maximum);
    }

    /// <summary>DynamicQuantizeLinear, MatMulInteger, Cast, Mul, and Add of a bias where it follows: one kernel.</summary>
    private void LowerDynamic(Node product)
    {
        if (product.Inputs[0]?.Producer is not { OpType: "DynamicQuantizeLinear" } quantizer || !ReferenceEquals(product.Inputs[0], quantizer.Outputs[0])
            || !ReferenceEquals(product.Input(2), quantizer.Outputs[2]) || product.Inputs[1]!.Constant is not { ElementType: ElementType.Int8,
            Rank: 2 } weights || product.Input(3) is not null
            || product.Output.OnlyUser is not { OpType: "Cast" } cast || cast.Output.OnlyUser is not { OpType: "Mul" } scaled)
            throw Unsupported(product);
        var scale = scaled.Inputs.First(i => !ReferenceEquals(i, cast.Output))!.Producer;
        if (scale is not { OpType: "Mul" }
            || scale.Inputs.FirstOrDefault(i => i?.Constant is not null)?.Constant is not { ElementType: ElementType.Float } weightScales
            || !scale.Inputs.Any(i => ReferenceEquals(i?.Producer, quantizer)))
            throw Unsupported(product);
        var (k, n) = Dimensions(weights, false);
        var last = scaled.Output;
        var bias = ProgramOperand.Absent;
        if (last.OnlyUser is { OpType: "Add" } add && add.Inputs.FirstOrDefault(i => i?.Constant is not null)?.Constant is { ElementType: ElementType.Float } b
            && b.Length == n)
        {
            bias = _builder.AddConstant(Packings.Raw, b.Span<float>());
            last = add.Output;
            _done.Add(add);
        }
        _done.UnionWith([cast, scaled, scale]);
        var (packed, packing, scales) = IntegerWeights(product, weights, weightScales, null, k, n, false);
        var input = LocateFloats(quantizer.Inputs[0]!, quantizer);
        var (group, low, high) = last.Producer is { } p ? Activation(p, last) : (last, float.NegativeInfinity, float.PositiveInfinity);
        var scratch = _builder.AddBuffer(ModelElementType.UInt8, [Rows(input), _builder.Number(k)]);
        var output = Allocate(group, ModelElementType.Float);
        _builder.AddCall(KernelIds.DenseDynamicInt8, product.DisplayName,
            [input.Operand, scratch, packed, bias, _builder.AddConstant<float>(Packings.Raw, scales), output.Operand],
            [Rows(input), _builder.Number(k), _builder.Number(n), packing], low, high);
    }

    /// <summary>Whether a bias is one of 32-bit integers, one an output, in units of input times weights: what the integer kernels add to their sums.</summary>
    private static bool IsBias(Node? bias, float[] weightScales, float inputScale)
    {
        if (bias?.Inputs[0]!.Constant is not { ElementType: ElementType.Int32 } integers || integers.Length != weightScales.Length
            || bias.Inputs[1]!.Constant is not { ElementType: ElementType.Float } scales
            || scales.Length != 1 && scales.Length != integers.Length || bias.Input(2) is { } zero
                && (zero.Constant is not { } zeros || Numbers.Integers(zeros).Any(static z => z != 0)))
            return false;
        for (var i = 0; i < weightScales.Length; i++)
        {
            var unit = (double)inputScale * weightScales[i];
            if (Math.Abs(scales.Span<float>()[scales.Length == 1 ? 0 : i] - unit) > 1e-6 * unit)
                return false;
        }
        return true;
    }

    private void LowerQuantize(Node node)
    {
        var (scale, zero) = Mapping(node);
        var input = LocateFloats(node.Inputs[0]!, node);
        var output = Allocate(node.Output, ModelType(node.Output.Type!.ElementType));
        _builder.AddCall(KernelIds.QuantizeLinear, node.DisplayName, [input.Operand, output.Operand],
            [_sizes.Product(input.Shape), _builder.Number(zero), _builder.Number(output.Type == ModelElementType.Int8 ? 1 : 0)], scale);
    }

    private void LowerDequantize(Node node)
    {
        // Constants and inputs of integer kernels are read as integers by those.
        if (node.Inputs[0]!.Constant is not null || node.Output.Uses.All(u => u.Node.OpType is "Gemm" or "MatMul" && u.Index == 0)
            && !node.Output.IsGraphOutput)
            return;
        var (scale, zero) = Mapping(node);
        var input = Locate(node.Inputs[0]!);
        var output = Allocate(node.Output, ModelElementType.Float);
        _builder.AddCall(KernelIds.DequantizeLinear, node.DisplayName, [input.Operand, output.Operand],
            [_sizes.Product(input.Shape), _builder.Number(zero), _builder.Number(input.Type == ModelElementType.Int8 ? 1 : 0)], scale);
    }

    private void LowerSoftmax(Node node)
    {
        var input = LocateFloats(node.Inputs[0]!, node);
        var rank = input.Shape.Count;
        var axis = node.Int("axis", -1);
        if ((axis < 0 ? axis + rank : axis) != rank - 1)
            throw new NotLoweredException($"'{node.DisplayName}': softmax along another axis than the last");
        var output = Allocate(node.Output, ModelElementType.Float);
        _builder.AddCall(KernelIds.Softmax, node.DisplayName, [input.Operand, output.Operand],
            [_sizes.Product(input.Shape.Take(rank - 1)), _sizes.Of(input.Shape[^1])]);
    }

    private void LowerBinary(Node node, BinaryOperation operation)
    {
        var (group, low, high) = Activation(node, node.Output);
        var (a, b) = (node.Inputs[0]!, node.Inputs[1]!);
        if (a.Constant is not null)
            (a, b) = (b, a);
        var left = LocateFloats(a, node);
        ProgramOperand right;
        BinaryLayout layout;
        if (b.Constant is { ElementType: ElementType.Float } constant)
        {
            // A scalar, or a row that is the same for all rows.
            layout = constant.Length == 1 ? BinaryLayout.Scalar : BinaryLayout.Row;
            if (layout == BinaryLayout.Row && (constant.Length != constant.Shape[^1] || left.Shape.Count == 0 || left.Shape[^1] != constant.Length)
                || constant.Rank > left.Shape.Count)
                throw Unsupported(node);
            right = _builder.AddConstant(Packings.Raw, constant.Span<float>());
        }
        else
        {
            var other = LocateFloats(b, node);
            if (!left.Shape.SequenceEqual(other.Shape))
                throw Unsupported(node);
            (right, layout) = (other.Operand, BinaryLayout.Same);
        }
        var result = Allocate(group, ModelElementType.Float);
        var length = left.Shape.Count == 0 ? _builder.Number(1) : _sizes.Of(left.Shape[^1]);
        _builder.AddCall(KernelIds.Binary, node.DisplayName, [left.Operand, right, result.Operand],
            [_builder.Number((int)operation), _builder.Number((int)layout), Rows(left), length], low, high);
    }

    private void LowerClamp(Node node)
    {
        var input = LocateFloats(node.Inputs[0]!, node);
        var (low, high) = Bounds(node);
        var output = Allocate(node.Output, ModelElementType.Float);
        _builder.AddCall(KernelIds.Clamp, node.DisplayName, [input.Operand, output.Operand], [_sizes.Product(input.Shape)], low, high);
    }

    private void LowerUnary(Node node, UnaryOperation operation)
    {
        var input = LocateFloats(node.Inputs[0]!, node);
        var output = Allocate(node.Output, ModelElementType.Float);
        _builder.AddCall(KernelIds.Unary, node.DisplayName, [input.Operand, output.Operand], [_builder.Number((int)operation), _sizes.Product(input.Shape)], 0,
            0);
    }

    /// <summary>The Relu or Clip that follows as a node's only user is done by the node's own kernel.</summary>
    private (Value Output, float Low, float High) Activation(Node node, Value output)
    {
        if (output.OnlyUser is { } user && (user.Is("Relu") || user.Is("Clip") && ReferenceEquals(user.Inputs[0], output)))
        {
            var (low, high) = Bounds(user);
            _done.Add(user);
            return (user.Output, low, high);
        }
        return (output, float.NegativeInfinity, float.PositiveInfinity);
    }

    private static (float Low, float High) Bounds(Node node)
    {
        float Bound(int index, float none) => node.Input(index) is not { } v ? none
            : v.Constant is { ElementType: ElementType.Float, Length: 1 } c ? c.Span<float>()[0]
                : throw new NotLoweredException($"'{node.DisplayName}': the bounds are not constant");
        return node.Is("Relu") ? (0, float.PositiveInfinity) : (Bound(1, float.NegativeInfinity), Bound(2, float.PositiveInfinity));
    }

    private ProgramOperand Bias(Node node, int n)
    {
        if (node.Input(2) is not { } bias)
            return ProgramOperand.Absent;
        if (bias.Constant is not { ElementType: ElementType.Float } c || c.Length != n || c.Rank > 0 && c.Shape[^1] != n)
            throw Unsupported(node);
        var beta = node.Float("beta", 1);
        return beta == 1 ? _builder.AddConstant(Packings.Raw, c.Span<float>())
            : _builder.AddConstant<float>(Packings.Raw, c.ToArray<float>().Select(v => v * beta).ToArray());
    }

    /// <summary>Packs weights; the expression says whether they are of 7 bits, which a faster kernel takes on CPUs without dot products.</summary>
    private (ProgramOperand Packed, int SevenBits, float[] Scales) IntegerWeights(Node node, Tensor weights, Tensor scales, Tensor? zeros, int k, int n,
        bool transposed)
    {
        if (weights.ElementType != ElementType.Int8 || scales.ElementType != ElementType.Float || scales.Length != 1 && scales.Length != n || zeros is not null
            && zeros.Span<sbyte>().ContainsAnyExcept((sbyte)0))
            throw Unsupported(node);
        var data = weights.Span<sbyte>();
        var packing = DenseInt8Packing.PackingFor(data);
        var packed = _builder.AddConstant<byte>(packing, DenseInt8Packing.Pack(data, k, n, transposed));
        var each = scales.ToArray<float>();
        return (packed, _builder.Number(packing == Packings.DenseInt7 ? 1 : 0), each.Length == n ? each : [.. Enumerable.Repeat(each[0], n)]);
    }

    private static float[] Dequantized(Node bias)
    {
        var values = bias.Inputs[0]!.Constant!.Span<int>();
        var scales = bias.Inputs[1]!.Constant!.Span<float>();
        var result = new float[values.Length];
        for (var i = 0; i < result.Length; i++)
            result[i] = (float)(values[i] * (double)scales[scales.Length == 1 ? 0 : i]);
        return result;
    }

    /// <summary>Scale and zero point of a QuantizeLinear or DequantizeLinear of one mapping.</summary>
    private static (float Scale, int Zero) Mapping(Node node)
    {
        if (node.Inputs[1]!.Constant is not { ElementType: ElementType.Float, Length: 1 } scale)
            throw new NotLoweredException($"'{node.DisplayName}': the scale is no constant scalar");
        var zero = node.Input(2)?.Constant switch
        {
            null => 0,
            { ElementType: ElementType.UInt8, Length: 1 } z => z.Span<byte>()[0],
            { ElementType: ElementType.Int8, Length: 1 } z => z.Span<sbyte>()[0],
            _ => throw new NotLoweredException($"'{node.DisplayName}': the zero point is no scalar of 8 bits"),
        };
        return (scale.Span<float>()[0], zero);
    }

    private static (int K, int N) Dimensions(Tensor weights, bool transposed)
    {
        var (rows, columns) = ((int)weights.Shape[0], (int)weights.Shape[1]);
        return transposed ? (columns, rows) : (rows, columns);
    }

    private int Rows(Located x) => _sizes.Product(x.Shape.Take(Math.Max(0, x.Shape.Count - 1)));

    private Located Locate(Value value) => _located.TryGetValue(value, out var located) ? located
        : throw new NotLoweredException($"'{value.Name}' is "
            + $"{(value.Constant is null ? "not computed by a managed kernel" : "a constant where the kernel wants an activation")}");

    /// <summary>Where a value lies that a kernel reads as floats.</summary>
    private Located LocateFloats(Value value, Node reader)
    {
        var located = Locate(value);
        return located.Type == ModelElementType.Float ? located
            : throw new NotLoweredException($"'{reader.DisplayName}' ({reader.OpType}) has no managed kernel for {located.Type}");
    }

    private Located Allocate(Value value, ModelElementType type)
    {
        var shape = ShapeOf(value);
        var located = new Located(_builder.AddBuffer(type, _sizes.Of(shape)), shape, type);
        _located[value] = located;
        return located;
    }

    private Located Copy(Located source, string node)
    {
        var copy = source with { Operand = _builder.AddBuffer(source.Type, _sizes.Of(source.Shape)) };
        _builder.AddCall(KernelIds.Copy, node, [source.Operand, copy.Operand],
            [_builder.Combine(SizeOperator.Product, _sizes.Product(source.Shape), _builder.Number(source.Type == ModelElementType.Float ? sizeof(float) : 1))]);
        return copy;
    }

    private IReadOnlyList<Dimension> ShapeOf(Value value) => _facts.TypeOf(value) is { HasRank: true } type ? type.Shape
        : throw new NotLoweredException($"the shape of '{value.Name}' is not known");

    private static ModelElementType ModelType(ElementType type) => type is ElementType.Float or ElementType.UInt8 or ElementType.Int8
        ? (ModelElementType)(byte)type
        : throw new NotLoweredException($"tensors of {type} are not supported");

    private static NotLoweredException Unsupported(Node node) => new($"'{node.DisplayName}' ({node.OpType}) has no managed kernel in this form");
}
