using ModelBuild.Kernels;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>Gemm and MatMul between DequantizeLinear and QuantizeLinear: one integer kernel, with the activation as the output's range.</summary>
internal static class IntegerDenseLowering
{
    public static void Lower(Lowering lowering, Node node, Node read, Node unpacked)
    {
        var transposed = node.Is("Gemm") && node.Int("transB") == 1;
        if (node.Is("Gemm") && (node.Int("transA") == 1 || node.Float("alpha", 1) != 1 || node.Float("beta", 1) != 1))
            throw Lowering.Unsupported(node);
        var weights = lowering.ConstantOf(unpacked.Inputs[0])!;
        // One scale for all weights, or one for each output: anything else is another tool's form.
        if (weights.Rank != 2 || lowering.ConstantOf(unpacked.Inputs[1]) is not { } weightScales || weightScales.Length > 1
            && unpacked.Int("axis", 1) is var axis && axis != (transposed ? 0 : 1) && axis != (transposed ? -2 : -1))
            throw Lowering.Unsupported(node);
        var (k, n) = DenseLowering.Dimensions(weights, transposed);
        var (packed, narrow, scales) = Weights(lowering, node, weights, weightScales, lowering.ConstantOf(unpacked.Input(2)), k, n, transposed);
        var (inputScale, inputZero) = QuantizationLowering.Mapping(lowering, read);
        var bias = node.Input(2)?.Producer is { OpType: "DequantizeLinear" } b ? b : null;
        if (node.Input(2) is not null && !IsBias(lowering, bias, scales, inputScale))
            throw Lowering.Unsupported(node);
        var (input, row) = lowering.Rows(lowering.Read(read.Inputs[0]!), node);

        if (node.Output.OnlyUser is { OpType: "QuantizeLinear" } write)
        {
            lowering.Fused(write);
            var (outputScale, outputZero) = QuantizationLowering.Mapping(lowering, write);
            var output = lowering.Write(write.Output);
            var (low, high) = output.Type == ModelElementType.Int8 ? (-128, 127) : (0, 255);
            lowering.Call(new DenseInt8Arguments
            {
                XType = input.Type, YType = output.Type, X = lowering.Operand(input), W = packed,
                Bias = bias is null ? Operand.Absent : lowering.Packed(Packings.Raw, lowering.ConstantOf(bias.Inputs[0])!.Span<int>()),
                Multiplier = lowering.Packed<float>(Packings.Raw, [.. scales.Select(s => (float)((double)inputScale * s / outputScale))]),
                Y = lowering.Operand(output), M = lowering.Size(DenseLowering.RowsOf(input)), K = lowering.Size(k), N = lowering.Size(n),
                XRow = lowering.Size(row), YRow = lowering.Size(n), Narrow = lowering.Size(narrow),
                XZero = lowering.Size(inputZero), YZero = lowering.Size(outputZero), YMinimum = lowering.Size(low), YMaximum = lowering.Size(high),
            }, node.DisplayName);
            return;
        }
        var (group, minimum, maximum) = lowering.Activation(node.Output);
        var y = lowering.Write(group);
        lowering.Call(new DenseInt8ToF32Arguments
        {
            XType = input.Type, X = lowering.Operand(input), W = packed,
            Bias = bias is null ? Operand.Absent : lowering.Packed<float>(Packings.Raw, Dequantized(lowering, bias)),
            Multiplier = lowering.Packed<float>(Packings.Raw, [.. scales.Select(s => (float)((double)inputScale * s))]),
            Y = lowering.Operand(y), M = lowering.Size(DenseLowering.RowsOf(input)), K = lowering.Size(k), N = lowering.Size(n),
            XRow = lowering.Size(row), YRow = lowering.Size(n), Narrow = lowering.Size(narrow), XZero = lowering.Size(inputZero),
            Minimum = minimum, Maximum = maximum,
        }, node.DisplayName);
    }

    /// <summary>Packs weights; the number says whether they are of 7 bits, which a faster kernel takes on CPUs without dot products.</summary>
    public static (Operand Packed, long Narrow, float[] Scales) Weights(Lowering lowering, Node node, Tensor weights, Tensor scales, Tensor? zeros, int k, int n,
        bool transposed)
    {
        if (weights.ElementType != ElementType.Int8 || scales.ElementType != ElementType.Float || scales.Length != 1 && scales.Length != n || zeros is not null
            && zeros.Span<sbyte>().ContainsAnyExcept((sbyte)0))
            throw Lowering.Unsupported(node);
        var data = weights.Span<sbyte>();
        var packing = DenseInt8Packing.PackingFor(data);
        var packed = lowering.Packed<byte>(packing, DenseInt8Packing.Pack(data, k, n, transposed));
        var each = scales.ToArray<float>();
        return (packed, packing == Packings.DenseInt7 ? 1 : 0, each.Length == n ? each : [.. Enumerable.Repeat(each[0], n)]);
    }

    /// <summary>Whether a bias is one of 32-bit integers, one an output, in units of input times weights: what the integer kernels add to their sums.</summary>
    public static bool IsBias(Lowering lowering, Node? bias, float[] weightScales, float inputScale)
    {
        if (lowering.ConstantOf(bias?.Inputs[0]) is not { ElementType: ElementType.Int32 } integers || integers.Length != weightScales.Length
            || lowering.ConstantOf(bias!.Inputs[1]) is not { ElementType: ElementType.Float } scales
            || scales.Length != 1 && scales.Length != integers.Length || bias.Input(2) is { } zero
                && (lowering.ConstantOf(zero) is not { } zeros || Numbers.Integers(zeros).Any(static z => z != 0)))
            return false;
        for (var i = 0; i < weightScales.Length; i++)
        {
            var unit = (double)inputScale * weightScales[i];
            if (Math.Abs(scales.Span<float>()[scales.Length == 1 ? 0 : i] - unit) > 1e-6 * unit)
                return false;
        }
        return true;
    }

    private static float[] Dequantized(Lowering lowering, Node bias)
    {
        var values = lowering.ConstantOf(bias.Inputs[0])!.Span<int>();
        var scales = lowering.ConstantOf(bias.Inputs[1])!.Span<float>();
        var result = new float[values.Length];
        for (var i = 0; i < result.Length; i++)
            result[i] = (float)(values[i] * (double)scales[scales.Length == 1 ? 0 : i]);
        return result;
    }
}
