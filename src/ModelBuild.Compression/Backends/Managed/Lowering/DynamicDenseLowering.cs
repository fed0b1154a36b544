using ModelBuild.Kernels;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>DynamicQuantizeLinear, MatMulInteger, Cast, Mul, and Add of a bias where it follows: one kernel.</summary>
internal static class DynamicDenseLowering
{
    public static IEnumerable<KeyValuePair<string, OperatorLowering>> Operators =>
    [
        new("MatMulInteger", new(Lower)),
        new("DynamicQuantizeLinear", new(LeaveToProduct)),
    ];

    /// <summary>What quantizes at every call is lowered with the product that it feeds.</summary>
    private static void LeaveToProduct(Lowering lowering, Node node)
    {
        if (!node.Outputs.All(o => o.Uses.All(u => u.Node.OpType is "MatMulInteger" or "Mul")))
            throw Lowering.Unsupported(node);
    }

    private static void Lower(Lowering lowering, Node product)
    {
        if (product.Inputs[0]?.Producer is not { OpType: "DynamicQuantizeLinear" } quantizer || !ReferenceEquals(product.Inputs[0], quantizer.Outputs[0])
            || !ReferenceEquals(product.Input(2), quantizer.Outputs[2])
            || lowering.ConstantOf(product.Inputs[1]) is not { ElementType: ElementType.Int8, Rank: 2 } weights || product.Input(3) is not null
            || product.Output.OnlyUser is not { OpType: "Cast" } cast || cast.Output.OnlyUser is not { OpType: "Mul" } scaled)
            throw Lowering.Unsupported(product);
        var scale = scaled.Inputs.First(i => !ReferenceEquals(i, cast.Output))!.Producer;
        if (scale is not { OpType: "Mul" }
            || scale.Inputs.Select(lowering.ConstantOf).FirstOrDefault(c => c is not null) is not { ElementType: ElementType.Float } weightScales
            || !scale.Inputs.Any(i => ReferenceEquals(i?.Producer, quantizer)))
            throw Lowering.Unsupported(product);
        var (k, n) = DenseLowering.Dimensions(weights, false);
        var last = scaled.Output;
        var bias = Operand.Absent;
        if (last.OnlyUser is { OpType: "Add" } add
            && add.Inputs.Select(lowering.ConstantOf).FirstOrDefault(c => c is not null) is { ElementType: ElementType.Float } b && b.Length == n)
        {
            bias = lowering.Packed(Packings.Raw, b.Span<float>());
            last = add.Output;
            lowering.Fused(add);
        }
        lowering.Fused(cast);
        lowering.Fused(scaled);
        lowering.Fused(scale);
        var (packed, narrow, scales) = IntegerDenseLowering.Weights(lowering, product, weights, weightScales, null, k, n, false);
        var (input, row) = lowering.Rows(lowering.Read(quantizer, 0), product);
        var (group, low, high) = lowering.Activation(last);
        var output = lowering.Write(group);
        lowering.Call(new DenseDynamicInt8Arguments
        {
            X = lowering.Operand(input), W = packed, Bias = bias, Scales = lowering.Packed<float>(Packings.Raw, scales), Y = lowering.Operand(output),
            M = lowering.Size(DenseLowering.RowsOf(input)), K = lowering.Size(k), N = lowering.Size(n), XRow = lowering.Size(row), YRow = lowering.Size(n),
            Narrow = lowering.Size(narrow), Minimum = low, Maximum = high,
        }, product.DisplayName);
    }
}
