namespace ModelBuild.Onnx.Operators;

/// <summary>Matrix product of 8-bit integers minus their zero points, in 32-bit integers that wrap around.</summary>
internal sealed class MatMulInteger : Operator
{
    public override string Name => "MatMulInteger";

    public override int FirstVersion => 10;

    public override void Infer(InferenceContext context) => context.Set(0, ElementType.Int32, MatrixShape.Infer(context, 0, 1));

    public override InputRole Role(Node node, int input) =>
        input > 1 ? InputRole.ZeroPoint : MatrixShape.IsWeights(node, input, 0, 1) ? InputRole.Weights : InputRole.Activation;

    public override WeightChannels Channels(Node node, int input) => MatrixShape.Channels(node, input, 0, 1);

    public override void Axes(AxesContext context)
    {
        MatrixShape.Axes(context, 0, 1);
        MatrixShape.PerSlice(context, context.OutputRank(0) - 2, 2);
        MatrixShape.PerSlice(context, context.OutputRank(0) - 1, 3);
    }

    public override string? Cut(CutContext context) => null;

    public override Work Work(WorkContext context) => MatrixShape.Work(context, 0);

    public override void Execute(ExecutionContext context)
    {
        var (a, b) = (context.Input(0), context.Input(1));
        var (values, shape) = MatrixShape.Multiply(
            IntegerOperands.Shifted(a, context.Optional(2), Math.Max(0, a.Rank - 2)), a.Shape,
            IntegerOperands.Shifted(b, context.Optional(3), b.Rank - 1), b.Shape);
        context.Set(0, Numbers.Of(ElementType.Int32, shape, values));
    }
}
