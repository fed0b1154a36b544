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
        if (WeightsOf(lowering, product) is not { } weights || product.Output.OnlyUser is not { OpType: "Cast" } cast
            || cast.Int("to") != (long)ElementType.Float)
            throw Lowering.Unsupported(product);
        var (k, n) = ((int)weights.Shape[0], (int)weights.Shape[1]);
        if (product.Inputs[0]?.Producer is not { OpType: "DynamicQuantizeLinear" } quantizer)
        {
            OfIntegers(lowering, product, cast, weights, k, n);
            return;
        }
        if (!ReferenceEquals(product.Inputs[0], quantizer.Outputs[0]) || !ReferenceEquals(product.Input(2), quantizer.Outputs[2])
            || ScalesOf(lowering, cast, quantizer) is not var (last, weightScales, inner) || weightScales.Length != 1 && weightScales.Length != n)
            throw Lowering.Unsupported(product);
        var bias = Operand.Absent;
        if (last.OnlyUser is { OpType: "Add" } add
            && add.Inputs.Select(lowering.ConstantOf).FirstOrDefault(c => c is not null) is { ElementType: ElementType.Float } b && b.Length == n)
        {
            bias = lowering.Packed(Packings.Raw, b.Span<float>());
            last = add.Output;
            lowering.Fused(add);
        }
        inner.ForEach(lowering.Fused);
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

    /// <summary>The product of integers that somebody else made, with a zero point that is known: the kernel gives what Cast makes of the sums.</summary>
    private static void OfIntegers(Lowering lowering, Node product, Node cast, Tensor weights, int k, int n)
    {
        var zero = product.Input(2) is not { } value ? 0 : lowering.ConstantOf(value) is { Length: 1 } constant ? (int)Numbers.Integers(constant)[0]
            : throw Lowering.Unsupported(product);
        lowering.Fused(cast);
        var (packed, narrow, scales) = IntegerDenseLowering.Weights(lowering, product, weights, Tensor.Scalar(1f), null, k, n, false);
        var (input, row) = lowering.Rows(lowering.Read(product.Inputs[0]!), product);
        var output = lowering.Write(cast.Output);
        lowering.Call(new DenseInt8ToF32Arguments
        {
            XType = input.Type, X = lowering.Operand(input), W = packed, Multiplier = lowering.Packed<float>(Packings.Raw, scales),
            Y = lowering.Operand(output), M = lowering.Size(DenseLowering.RowsOf(input)), K = lowering.Size(k), N = lowering.Size(n),
            XRow = lowering.Size(row), YRow = lowering.Size(n), Narrow = lowering.Size(narrow), XZero = lowering.Size(zero),
            Minimum = float.NegativeInfinity, Maximum = float.PositiveInfinity,
        }, product.DisplayName);
    }

    /// <summary>Weights [K, N] as int8 without zero points, which are taken off; null where they are no constants, or do not fit.</summary>
    private static Tensor? WeightsOf(Lowering lowering, Node product)
    {
        if (lowering.ConstantOf(product.Inputs[1]) is not { ElementType: ElementType.Int8 or ElementType.UInt8, Rank: >= 2 } weights
            || weights.Shape.Take(weights.Rank - 2).Any(static d => d != 1))
            return null;
        var (k, n) = ((int)weights.Shape[^2], (int)weights.Shape[^1]);
        long[] zeros = [0];
        if (product.Input(3) is { } value)
        {
            if (lowering.ConstantOf(value) is not { } given || given.Length != 1 && given.Length != n)
                return null;
            zeros = Numbers.Integers(given);
        }
        var shifted = Numbers.Integers(weights).Select((w, i) => w - zeros[zeros.Length == 1 ? 0 : i % n]).ToArray();
        return shifted.Any(static w => w is < sbyte.MinValue or > sbyte.MaxValue) ? null : Tensor.Of(shifted.Select(static w => (sbyte)w).ToArray(), k, n);
    }

    /// <summary>The scales of weights that the sums are multiplied by, together with the scale of x or apart from it, in any order.</summary>
    private static (Value Output, Tensor Weights, List<Node> Inner)? ScalesOf(Lowering lowering, Node cast, Node quantizer)
    {
        var inner = new List<Node> { cast };
        var (value, hasInput, weights) = (cast.Output, false, default(Tensor));
        while (!hasInput || weights is null)
        {
            if (value.OnlyUser is not { OpType: "Mul", Domain.Length: 0 } product)
                return null;
            var factor = product.Inputs.First(i => !ReferenceEquals(i, value))!;
            if (!Take(factor) && !(factor.Producer is { OpType: "Mul" } both && both.Inputs.All(i => Take(i!)) && Add(both)))
                return null;
            inner.Add(product);
            value = product.Output;
        }
        return (value, weights, inner);

        bool Take(Value factor)
        {
            if (!hasInput && ReferenceEquals(factor, quantizer.Outputs[1]))
                return hasInput = true;
            if (weights is not null || lowering.ConstantOf(factor) is not { ElementType: ElementType.Float } constant)
                return false;
            weights = constant;
            return true;
        }

        bool Add(Node node)
        {
            inner.Add(node);
            return true;
        }
    }
}
