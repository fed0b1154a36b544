using ModelBuild.Kernels;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>Gemm and MatMul between DequantizeLinear and QuantizeLinear: one integer kernel, with the activation as the output's range.</summary>
internal static class IntegerDenseLowering
{
    /// <summary>Whether a product is one that integer kernels take; floats compute the same where it is not.</summary>
    public static bool Takes(Lowering lowering, Node node) => FormOf(lowering, node) is not null;

    private sealed record Form(QuantizedValue Input, Tensor Weights, Tensor Scales, int K, int N, bool Transposed, Tensor? Bias);

    private static Form? FormOf(Lowering lowering, Node node)
    {
        if (QuantizationLowering.Integers(lowering, node.Inputs[0]) is not { } x || node.Input(1)?.Producer is not { OpType: "DequantizeLinear" } unpacked
            || lowering.ConstantOf(unpacked.Inputs[0]) is not { ElementType: ElementType.Int8, Rank: 2 } weights
            || node.Is("Gemm") && (node.Int("transA") == 1 || node.Float("alpha", 1) != 1 || node.Float("beta", 1) != 1))
            return null;
        var transposed = node.Is("Gemm") && node.Int("transB") == 1;
        var (k, n) = DenseLowering.Dimensions(weights, transposed);
        // One scale for all weights, or one for each output: anything else is another tool's form.
        if (lowering.ConstantOf(unpacked.Inputs[1]) is not { ElementType: ElementType.Float } scales || scales.Length != 1 && scales.Length != n
            || scales.Length > 1 && unpacked.Int("axis", 1) is var axis && axis != (transposed ? 0 : 1) && axis != (transposed ? -2 : -1)
            || unpacked.Input(2) is { } zero && (lowering.ConstantOf(zero) is not { } zeros || Numbers.Integers(zeros).Any(static z => z != 0)))
            return null;
        var bias = node.Input(2)?.Producer is { OpType: "DequantizeLinear" } b ? b : null;
        if (node.Input(2) is not null && !IsBias(lowering, bias, Each(scales, n), x.Scale))
            return null;
        return new(x, weights, scales, k, n, transposed, lowering.ConstantOf(bias?.Inputs[0]));
    }

    private static float[] Each(Tensor scales, int n) => scales.Length == n ? scales.ToArray<float>() : [.. Enumerable.Repeat(scales.Span<float>()[0], n)];

    /// <summary>Lowers a product to an integer kernel, if it is one that those take.</summary>
    public static bool TryLower(Lowering lowering, Node node)
    {
        if (FormOf(lowering, node) is not var ((inputs, inputScale, inputZero), weights, weightScales, k, n, transposed, bias))
            return false;
        TensorView input;
        Dimension row, rows;
        if (lowering.Flattened(inputs) is { } image)
        {
            // An image is read as it lies: the weights move instead, once.
            (input, row, rows) = (image, k, image.Extents[0]);
            weights = new(ElementType.Int8, weights.Shape, DenseLowering.Reordered(weights.Bytes.ToArray(), k, n, transposed, image));
        }
        else
        {
            (input, row) = lowering.Rows(lowering.Read(inputs), node);
            rows = DenseLowering.RowsOf(input);
        }
        var (packed, narrow, scales) = Weights(lowering, node, weights, weightScales, null, k, n, transposed);
        if (QuantizationLowering.Target(lowering, node.Output) is { } target)
        {
            target.Take(lowering);
            var output = lowering.Write(target.Value);
            lowering.Call(new DenseInt8Arguments
            {
                XType = input.Type, YType = output.Type, X = lowering.Operand(input), W = packed,
                Bias = bias is null ? Operand.Absent : lowering.Packed(Packings.Raw, bias.Span<int>()),
                Multiplier = lowering.Packed<float>(Packings.Raw, [.. scales.Select(s => Multiplier(inputScale, s, target.Scale))]),
                Y = lowering.Operand(output), M = lowering.Size(rows), K = lowering.Size(k), N = lowering.Size(n),
                XRow = lowering.Size(row), YRow = lowering.Size(n), Narrow = lowering.Size(narrow),
                XZero = lowering.Size(inputZero), YZero = lowering.Size(target.Zero), YMinimum = lowering.Size(target.Minimum),
                    YMaximum = lowering.Size(target.Maximum),
            }, node.DisplayName);
            return true;
        }
        var (group, minimum, maximum) = lowering.Activation(node.Output);
        var y = lowering.Write(group);
        lowering.Call(new DenseInt8ToF32Arguments
        {
            XType = input.Type, X = lowering.Operand(input), W = packed,
            Bias = bias is null ? Operand.Absent : lowering.Packed<float>(Packings.Raw, Dequantized(bias, scales, inputScale)),
            Multiplier = lowering.Packed<float>(Packings.Raw, [.. scales.Select(s => Multiplier(inputScale, s))]),
            Y = lowering.Operand(y), M = lowering.Size(rows), K = lowering.Size(k), N = lowering.Size(n),
            XRow = lowering.Size(row), YRow = lowering.Size(n), Narrow = lowering.Size(narrow), XZero = lowering.Size(inputZero),
            Minimum = minimum, Maximum = maximum,
        }, node.DisplayName);
        return true;
    }

    /// <summary>What sums are multiplied by, rounded step by step as ONNX Runtime rounds it: results are the same integers.</summary>
    public static float Multiplier(float inputScale, float weightScale, float? outputScale = null) =>
        outputScale is { } y ? inputScale * weightScale / y : inputScale * weightScale;

    /// <summary>Packs weights; the number says whether they are of 7 bits, which a faster kernel takes on CPUs without dot products.</summary>
    public static (Operand Packed, long Narrow, float[] Scales) Weights(Lowering lowering, Node node, Tensor weights, Tensor scales, Tensor? zeros, int k,
        int n,
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

    private static float[] Dequantized(Tensor bias, float[] weightScales, float inputScale) =>
        [.. bias.ToArray<int>().Select((v, i) => (float)(v * ((double)inputScale * weightScales[i])))];
}
