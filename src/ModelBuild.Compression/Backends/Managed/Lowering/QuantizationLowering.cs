using ModelBuild.Kernels;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>QuantizeLinear and DequantizeLinear of activations with one scale, and what lies between both.</summary>
internal static class QuantizationLowering
{
    public static IEnumerable<KeyValuePair<string, OperatorLowering>> Operators =>
    [
        new("QuantizeLinear", new(Quantize)),
        new("DequantizeLinear", new(Dequantize)),
    ];

    private static void Quantize(Lowering lowering, Node node)
    {
        var (scale, zero) = Mapping(lowering, node);
        if (MapOf(lowering, node) is var (source, table, _))
        {
            Map(lowering, node, lowering.Read(source), table, node.Output);
            return;
        }
        var input = lowering.Read(node, 0);
        var output = ReadsImages(lowering, node.Output) && input.Rank == 4 ? lowering.Images.Write(node.Output, node) : lowering.WriteLike(node.Output, input);
        Quantize(lowering, node, input, output, scale, zero);
    }

    /// <summary>output = quantized input.</summary>
    private static void Quantize(Lowering lowering, Node node, TensorView input, TensorView output, float scale, int zero)
    {
        var nest = Nest.Of(lowering, output, longestInner: true, input);
        lowering.Call(new QuantizeLinearArguments
        {
            YType = output.Type, X = lowering.Operand(input), Y = lowering.Operand(output), Extents = nest.Extents, XStrides = nest.Strides[1],
            YStrides = nest.Strides[0], Zero = lowering.Size(zero), Scale = scale,
        }, node.DisplayName);
    }

    /// <summary>Whether integers are read by an operator that wants images with their channels last.</summary>
    private static bool ReadsImages(Lowering lowering, Value integers) => integers.Uses.Any(use => use.Node.Is("MaxPool") || use.Node.Is("DequantizeLinear")
        && use.Node.Output.Uses.Any(u => u.Index == 0 && (u.Node.Is("Conv") || u.Node.Is("AveragePool") || u.Node.Is("GlobalAveragePool"))
            && lowering.ShapeOf(u.Node.Inputs[0]!).Length == 4));

    // Nothing is computed until somebody reads the floats: integer kernels read what they stand for.
    private static void Dequantize(Lowering lowering, Node node)
    {
        var (scale, zero) = Mapping(lowering, node);
        lowering.Defer(node.Output, () =>
        {
            var input = lowering.Read(node.Inputs[0]!);
            var output = lowering.WriteLike(node.Output, input);
            var nest = Nest.Of(lowering, output, longestInner: false, input);
            lowering.Call(new DequantizeLinearArguments
            {
                XType = input.Type, X = lowering.Operand(input), Y = lowering.Operand(output), Extents = nest.Extents, XStrides = nest.Strides[1],
                YStrides = nest.Strides[0], Zero = lowering.Size(zero), Scale = scale,
            }, node.DisplayName);
        });
    }

    /// <summary>Scale and zero point of a QuantizeLinear or DequantizeLinear of one mapping to 8 bits.</summary>
    public static (float Scale, int Zero) Mapping(Lowering lowering, Node node)
    {
        if (lowering.ConstantOf(node.Inputs[1]) is not { ElementType: ElementType.Float, Length: 1 } scale)
            throw new NotLoweredException($"'{node.DisplayName}': the scale is no constant scalar", node);
        var type = lowering.TypeOf(node.Is("QuantizeLinear") ? node.Output : node.Inputs[0]!);
        if (type is not (ModelElementType.UInt8 or ModelElementType.Int8))
            throw new NotLoweredException($"'{node.DisplayName}': tensors of {type} have no managed kernel", node);
        var zero = lowering.ConstantOf(node.Input(2)) switch
        {
            null when node.Input(2) is null => 0,
            { ElementType: ElementType.UInt8, Length: 1 } z => z.Span<byte>()[0],
            { ElementType: ElementType.Int8, Length: 1 } z => z.Span<sbyte>()[0],
            _ => throw new NotLoweredException($"'{node.DisplayName}': the zero point is no scalar of 8 bits", node),
        };
        return (scale.Span<float>()[0], zero);
    }

    /// <summary>The integers that a value stands for; null where it is none of floats that one mapping of 8 bits gives.</summary>
    public static QuantizedValue? Integers(Lowering lowering, Value? value)
    {
        if (value?.Producer is not { OpType: "DequantizeLinear", Domain.Length: 0 } node || lowering.ConstantOf(node.Inputs[0]) is not null)
            return null;
        return TryMapping(lowering, node) is var (scale, zero) ? new(node.Inputs[0]!, scale, zero) : null;
    }

    private static (float Scale, int Zero)? TryMapping(Lowering lowering, Node node)
    {
        try
        {
            return Mapping(lowering, node);
        }
        catch (NotLoweredException)
        {
            return null;
        }
    }

    /// <summary>
    /// The QuantizeLinear that alone reads a value, perhaps behind a Relu or Clip, which becomes the range of integers; null where there is none. Bounds are
    /// quantized: rounding does not change the order of numbers.
    /// </summary>
    public static QuantizedOutput? Target(Lowering lowering, Value value)
    {
        var (low, high) = (float.NegativeInfinity, float.PositiveInfinity);
        Node? activation = null;
        if (value.OnlyUser is { } user && (user.Is("Relu") || user.Is("Clip") && ReferenceEquals(user.Inputs[0], value)) && lowering.Bounds(user) is { } bounds)
        {
            (activation, value) = (user, user.Output);
            (low, high) = bounds;
        }
        if (value.OnlyUser is not { OpType: "QuantizeLinear", Domain.Length: 0 } write || !ReferenceEquals(write.Inputs[0], value)
            || TryMapping(lowering, write) is not var (scale, zero))
            return null;
        var lowest = Lowest(lowering.TypeOf(write.Output));
        int Of(float bound) => (int)Math.Clamp(MathF.Round(bound / scale, MidpointRounding.ToEven) + zero, lowest, lowest + byte.MaxValue);
        return new(write.Output, scale, zero, Of(low), Of(high), activation, write);
    }

    private static int Lowest(ModelElementType type) => type == ModelElementType.Int8 ? sbyte.MinValue : byte.MinValue;

    /// <summary>Integers of one mapping as integers of another one; a part of a concatenation, for one.</summary>
    public static void Remap(Lowering lowering, Node node, QuantizedValue from, TensorView target, float scale, int zero)
    {
        var x = lowering.Read(from.Integers);
        if (from.Scale == scale && from.Zero == zero && x.Type == target.Type)
        {
            lowering.CopyTo(target, x, node.DisplayName);
            return;
        }
        var table = new byte[256];
        var lowest = Lowest(target.Type);
        for (var i = 0; i < table.Length; i++)
        {
            var real = ((x.Type == ModelElementType.Int8 ? (sbyte)i : i) - from.Zero) * from.Scale;
            table[i] = (byte)(int)Math.Clamp(MathF.Round(real / scale, MidpointRounding.ToEven) + zero, lowest, lowest + byte.MaxValue);
        }
        Map(lowering, node, x, table, target);
    }

    // ---- Functions of one quantized value ----------------------------------------------------------------------------------------------------------------

    /// <summary>
    /// Marks what is a function of one quantized value, element by element, and is quantized again: 256 results say all, whatever nodes it is spread over.
    /// </summary>
    public static void FindMaps(Lowering lowering, Graph graph)
    {
        foreach (var node in graph.Nodes.Where(static n => n.Is("QuantizeLinear")))
        {
            if (MapOf(lowering, node) is var (_, _, inner))
                inner.ForEach(lowering.Fused);
        }
    }

    private static (Value Source, byte[] Table, List<Node> Inner)? MapOf(Lowering lowering, Node quantize)
    {
        if (quantize.Inputs[0] is not { Producer: not null } result || lowering.ConstantOf(result) is not null || TryMapping(lowering, quantize) is null)
            return null;
        QuantizedValue? source = null;
        var inner = new List<Node>();
        if (!Visit(result, 0) || source is null)
            return null;
        // What somebody else reads is computed anyway.
        if (inner.Any(n => n.Output.IsGraphOutput || n.Output.IsHandedOut || n.Output.Uses.Any(u => !ReferenceEquals(u.Node, quantize)
            && !inner.Contains(u.Node))))
            return null;
        var signed = lowering.TypeOf(source.Integers) == ModelElementType.Int8;
        var all = signed ? Tensor.Vector(Enumerable.Range(0, 256).Select(static i => (sbyte)i).ToArray())
            : Tensor.Vector(Enumerable.Range(0, 256).Select(static i => (byte)i).ToArray());
        return new ConstantEvaluation([new(source.Integers, all)]).Of(quantize.Output) is { Length: 256 } table
            ? (source.Integers, table.Bytes.ToArray(), inner) : null;

        bool Visit(Value value, int depth)
        {
            if (lowering.ConstantOf(value) is { } constant)
                return constant.Length == 1 && constant.Rank <= 1;
            if (Integers(lowering, value) is { } integers)
            {
                if (source is not null && !ReferenceEquals(source.Integers, integers.Integers))
                    return false;
                source = integers;
                return true;
            }
            if (value.Producer is not { Domain.Length: 0 } node || !OfOneElement.Contains(node.OpType) || depth > 8)
                return false;
            if (!inner.Contains(node))
                inner.Add(node);
            return node.Inputs.All(i => i is null || Visit(i, depth + 1));
        }
    }

    private static readonly HashSet<string> OfOneElement = new(StringComparer.Ordinal)
    {
        "Abs", "Add", "Celu", "Clip", "Div", "Elu", "Erf", "Exp", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Log", "Max", "Min", "Mish", "Mul", "Neg",
        "Pow", "Reciprocal", "Relu", "Selu", "Sigmoid", "Softplus", "Softsign", "Sqrt", "Sub", "Swish", "Tanh", "ThresholdedRelu",
    };

    private static void Map(Lowering lowering, Node node, TensorView x, byte[] table, Value output) =>
        Map(lowering, node, x, table, x.Rank == 4 && ReadsImages(lowering, output) ? lowering.Images.Write(output, node) : lowering.WriteLike(output, x));

    private static void Map(Lowering lowering, Node node, TensorView x, byte[] table, TensorView y)
    {
        var nest = Nest.Of(lowering, y, longestInner: true, x);
        lowering.Call(new MapInt8Arguments
        {
            XType = x.Type, YType = y.Type, X = lowering.Operand(x), Table = lowering.Packed<byte>(Packings.Raw, table), Y = lowering.Operand(y),
            Extents = nest.Extents, XStrides = nest.Strides[1], YStrides = nest.Strides[0],
        }, node.DisplayName);
    }
}

/// <summary>Integers of one mapping.</summary>
/// <param name="Integers">The value that holds them.</param>
/// <param name="Scale">The mapping's scale.</param>
/// <param name="Zero">Its zero point.</param>
internal sealed record QuantizedValue(Value Integers, float Scale, int Zero);

/// <summary>Where a kernel's results are quantized to.</summary>
/// <param name="Value">The integers.</param>
/// <param name="Scale">Their scale.</param>
/// <param name="Zero">Their zero point.</param>
/// <param name="Minimum">The least integer.</param>
/// <param name="Maximum">The greatest.</param>
/// <param name="Activation">The node that the range takes over, or null.</param>
/// <param name="Write">The QuantizeLinear.</param>
internal sealed record QuantizedOutput(Value Value, float Scale, int Zero, int Minimum, int Maximum, Node? Activation, Node Write)
{
    /// <summary>Says that a kernel writes the integers itself.</summary>
    public void Take(Lowering lowering)
    {
        if (Activation is not null)
            lowering.Fused(Activation);
        lowering.Fused(Write);
    }
}
