namespace ModelBuild.Onnx.Operators;

/// <summary>alpha A B + beta C, with A and B transposed where the attributes say so.</summary>
internal sealed class Gemm : Operator
{
    public override string Name => "Gemm";

    public override void Infer(InferenceContext context)
    {
        var (a, b) = (context.Shape(0), context.Shape(1));
        var (flipA, flipB) = (context.Node.Int("transA") != 0, context.Node.Int("transB") != 0);
        context.Require((a.IsDefault || a.Length == 2) && (b.IsDefault || b.Length == 2), "the inputs must be matrices");
        if (!a.IsDefault && !b.IsDefault)
        {
            var (inner, outer) = (a[flipA ? 0 : 1], b[flipB ? 1 : 0]);
            context.Require(!inner.IsConstant || !outer.IsConstant || inner == outer, $"{context.Input(0)} and {context.Input(1)} cannot be multiplied");
        }
        context.Set(0, context.ElementType(0), [a.IsDefault ? Dimension.Unknown : a[flipA ? 1 : 0], b.IsDefault ? Dimension.Unknown : b[flipB ? 0 : 1]]);
    }

    public override InputRole Role(Node node, int input) => input switch { 1 => InputRole.Weights, 2 => InputRole.Bias, _ => InputRole.Activation };

    public override WeightChannels Channels(Node node, int input) => input == 1 ? new(node.Int("transB") != 0 ? 0 : 1, 1) : WeightChannels.None;

    public override void Axes(AxesContext context)
    {
        Axes(context, 0, 1);
        context.Broadcast(2);
    }

    /// <summary>The axes of two matrices, turned where the attributes say so.</summary>
    internal static void Axes(AxesContext context, int first, int second)
    {
        var (flipA, flipB) = (context.Node.Int("transA") != 0, context.Node.Int("transB") != 0);
        context.Link(first, flipA ? 1 : 0, 0, 0);
        context.Link(second, flipB ? 0 : 1, 0, 1);
        context.Contract(first, flipA ? 0 : 1, second, flipB ? 1 : 0);
    }

    public override string? Cut(CutContext context) => null;

    public override Work Work(WorkContext context) => MatrixShape.Work(context, 0, context.Node.Int("transA") != 0 ? 0 : -1);

    public override void Execute(ExecutionContext context)
    {
        var (a, b) = (context.Input(0), context.Input(1));
        context.Require(a.Rank == 2 && b.Rank == 2, "the inputs must be matrices");
        var (flipA, flipB) = (context.Node.Int("transA") != 0, context.Node.Int("transB") != 0);
        var x = flipA ? LinearAlgebra.Transpose(Numbers.Doubles(a), (int)a.Shape[0], (int)a.Shape[1]) : Numbers.Doubles(a);
        var y = flipB ? LinearAlgebra.Transpose(Numbers.Doubles(b), (int)b.Shape[0], (int)b.Shape[1]) : Numbers.Doubles(b);
        var (values, shape) = MatrixShape.Multiply(x, flipA ? [a.Shape[1], a.Shape[0]] : a.Shape, y, flipB ? [b.Shape[1], b.Shape[0]] : b.Shape);
        double alpha = context.Node.Float("alpha", 1), beta = context.Node.Float("beta", 1);
        var c = context.Optional(2) is { } t ? Elementwise.Spread(Numbers.Doubles(t), t.Shape, shape) : null;
        for (var i = 0; i < values.Length; i++)
            values[i] = alpha * values[i] + (c is null ? 0 : beta * c[i]);
        context.Set(0, Numbers.Of(a.ElementType, shape, values));
    }
}
