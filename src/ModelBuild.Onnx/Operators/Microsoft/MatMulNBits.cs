namespace ModelBuild.Onnx.Operators;

/// <summary>
/// A · Bᵀ + bias, where the rows of B [N, K] are integers of a few bits in blocks along K: B is stored as [N, blocks, bytes of a block], its first element in
/// the low bits, with a scale for each block and a zero point, packed alike, or half of the range. With <c>accuracy_level</c> runtimes may quantize A, too;
/// here it is not.
/// </summary>
internal sealed class MatMulNBits : Operator
{
    public override string Domain => Domains.Microsoft;

    public override string Name => "MatMulNBits";

    public override void Infer(InferenceContext context)
    {
        var a = context.Shape(0);
        context.Set(0, context.ElementType(0), a.IsDefault ? default : [.. a[..^1], Dimension.Of(context.Node.Int("N"))]);
    }

    public override InputRole Role(Node node, int input) => input switch
    {
        1 => InputRole.Weights,
        2 => InputRole.Scale,
        3 => InputRole.ZeroPoint,
        4 => InputRole.Indices,
        5 => InputRole.Bias,
        _ => InputRole.Activation,
    };

    public override WeightChannels Channels(Node node, int input) => input == 1 ? new(0, 1) : WeightChannels.None;

    // Packed rows stand for no axis of their own; what is multiplied row by row keeps its leading axes.
    public override void Axes(AxesContext context)
    {
        for (var i = 0; i < context.Rank(0) - 1; i++)
            context.Link(0, i, 0, i);
        context.Rest(AxisKind.New);
    }

    public override string? Cut(CutContext context) => "its weights are packed";

    public override Work Work(WorkContext context) => MatrixShape.Work(context, 0);

    public override void Execute(ExecutionContext context)
    {
        var node = context.Node;
        var (k, n, bits, block) = ((int)node.Int("K"), (int)node.Int("N"), (int)node.Int("bits", 4), (int)node.Int("block_size"));
        var (a, packed) = (context.Input(0), context.Input(1));
        context.Require(bits is 2 or 4 or 8, $"{bits} bits have no packing");
        context.Require(context.Optional(4) is null, "weights in another order (g_idx) are not executed");
        context.Require(block > 0 && k > 0 && n > 0 && a.Rank > 0 && a.Shape[^1] == k, $"{a} has no rows of {k}");
        var blocks = (k + block - 1) / block;
        var bytesOfBlock = block * bits / 8;
        var scales = Numbers.Doubles(context.Input(2));
        context.Require(packed.Length == (long)n * blocks * bytesOfBlock && scales.Length == n * blocks, $"weights {packed} and scales do not fit N and K");
        var zeros = Zeros(context.Optional(3), bits, n, blocks);
        var data = packed.Span<byte>();
        var perByte = 8 / bits;
        // Bᵀ: [K, N].
        var b = new double[k * n];
        for (var row = 0; row < n; row++)
            for (var i = 0; i < k; i++)
            {
                var (at, within) = (i / block, i % block);
                var value = data[(row * blocks + at) * bytesOfBlock + within / perByte] >> (within % perByte * bits) & ((1 << bits) - 1);
                b[i * n + row] = (value - zeros[row * blocks + at]) * scales[row * blocks + at];
            }
        var (product, shape) = MatrixShape.Multiply(Numbers.Doubles(a), a.Shape, b, [k, n]);
        if (context.Optional(5) is { } bias && Numbers.Doubles(bias) is var added)
            for (var i = 0; i < product.Length; i++)
                product[i] += added[i % n];
        context.Set(0, Numbers.Of(a.ElementType, shape, product));
    }

    /// <summary>A zero point for each block, row by row.</summary>
    private static double[] Zeros(Tensor? given, int bits, int rows, int blocks)
    {
        var zeros = new double[rows * blocks];
        if (given is null)
        {
            Array.Fill(zeros, 1 << (bits - 1));
            return zeros;
        }
        if (given.ElementType != ElementType.UInt8)
            return Numbers.Doubles(given);
        var data = given.Span<byte>();
        var perByte = 8 / bits;
        var bytesOfRow = (blocks + perByte - 1) / perByte;
        for (var i = 0; i < zeros.Length; i++)
            zeros[i] = data[i / blocks * bytesOfRow + i % blocks / perByte] >> (i % blocks % perByte * bits) & ((1 << bits) - 1);
        return zeros;
    }
}
