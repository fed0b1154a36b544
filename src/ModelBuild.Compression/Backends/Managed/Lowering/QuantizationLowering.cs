using ModelBuild.Kernels;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>QuantizeLinear and DequantizeLinear of activations with one scale.</summary>
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
        var input = lowering.Read(node, 0);
        var output = lowering.WriteLike(node.Output, input);
        var nest = Nest.Of(lowering, output, longestInner: false, input);
        lowering.Call(new QuantizeLinearArguments
        {
            YType = output.Type, X = lowering.Operand(input), Y = lowering.Operand(output), Extents = nest.Extents, XStrides = nest.Strides[1],
            YStrides = nest.Strides[0], Zero = lowering.Size(zero), Scale = scale,
        }, node.DisplayName);
    }

    private static void Dequantize(Lowering lowering, Node node)
    {
        // Constants and inputs of integer kernels are read as integers by those.
        if (lowering.ConstantOf(node.Inputs[0]) is not null || node.Output.Uses.All(u => IsIntegerProduct(lowering, u)) && !node.Output.IsGraphOutput)
            return;
        var (scale, zero) = Mapping(lowering, node);
        var input = lowering.Read(node.Inputs[0]!);
        var output = lowering.WriteLike(node.Output, input);
        var nest = Nest.Of(lowering, output, longestInner: false, input);
        lowering.Call(new DequantizeLinearArguments
        {
            XType = input.Type, X = lowering.Operand(input), Y = lowering.Operand(output), Extents = nest.Extents, XStrides = nest.Strides[1],
            YStrides = nest.Strides[0], Zero = lowering.Size(zero), Scale = scale,
        }, node.DisplayName);
    }

    private static bool IsIntegerProduct(Lowering lowering, Use use) => use is { Index: 0, Node: { OpType: "Gemm" or "MatMul" } product }
        && product.Inputs[1]?.Producer is { OpType: "DequantizeLinear" } unpacked && lowering.ConstantOf(unpacked.Inputs[0]) is not null;

    /// <summary>Scale and zero point of a QuantizeLinear or DequantizeLinear of one mapping to 8 bits.</summary>
    public static (float Scale, int Zero) Mapping(Lowering lowering, Node node)
    {
        if (lowering.ConstantOf(node.Inputs[1]) is not { ElementType: ElementType.Float, Length: 1 } scale)
            throw new NotLoweredException($"'{node.DisplayName}': the scale is no constant scalar");
        var type = lowering.TypeOf(node.Is("QuantizeLinear") ? node.Output : node.Inputs[0]!);
        if (type is not (ModelElementType.UInt8 or ModelElementType.Int8))
            throw new NotLoweredException($"'{node.DisplayName}': tensors of {type} have no managed kernel");
        var zero = lowering.ConstantOf(node.Input(2)) switch
        {
            null when node.Input(2) is null => 0,
            { ElementType: ElementType.UInt8, Length: 1 } z => z.Span<byte>()[0],
            { ElementType: ElementType.Int8, Length: 1 } z => z.Span<sbyte>()[0],
            _ => throw new NotLoweredException($"'{node.DisplayName}': the zero point is no scalar of 8 bits"),
        };
        return (scale.Span<float>()[0], zero);
    }
}
