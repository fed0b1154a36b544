namespace ModelBuild.Onnx.Operators;

/// <summary>Matrix product of quantized tensors, quantized again.</summary>
internal sealed class QLinearMatMul : Operator
{
    public override string Name => "QLinearMatMul";

    public override int FirstVersion => 10;

    public override void Infer(InferenceContext context) => context.Set(0, context.ElementType(7), MatrixShape.Infer(context, 0, 3));

    public override InputRole Role(Node node, int input) => input switch
    {
        1 or 4 or 6 => InputRole.Scale,
        2 or 5 or 7 => InputRole.ZeroPoint,
        _ => MatrixShape.IsWeights(node, input, 0, 3) ? InputRole.Weights : InputRole.Activation,
    };

    public override WeightChannels Channels(Node node, int input) => MatrixShape.Channels(node, input, 0, 3);

    public override void Axes(AxesContext context)
    {
        MatrixShape.Axes(context, 0, 3);
        MatrixShape.PerSlice(context, context.OutputRank(0) - 2, 1, 2);
        MatrixShape.PerSlice(context, context.OutputRank(0) - 1, 4, 5);
    }

    public override string? Cut(CutContext context) => null;

    public override Work Work(WorkContext context) => MatrixShape.Work(context, 0);

    public override void Execute(ExecutionContext context)
    {
        var (a, b) = (context.Input(0), context.Input(3));
        var (values, shape) = MatrixShape.Multiply(
            IntegerOperands.Shifted(a, context.Input(2), Math.Max(0, a.Rank - 2)), a.Shape,
            IntegerOperands.Shifted(b, context.Input(5), b.Rank - 1), b.Shape);
        var (scaleA, scaleB) = (Numbers.Doubles(context.Input(1)), Numbers.Doubles(context.Input(4)));
        var (scaleY, zeroY) = (Numbers.Doubles(context.Input(6))[0], Numbers.Doubles(context.Input(7))[0]);
        var type = context.Input(7).ElementType;
        var columns = b.Rank > 1 ? (int)b.Shape[^1] : 1;
        var rows = a.Rank > 1 ? (int)a.Shape[^2] : 1;
        for (var i = 0; i < values.Length; i++)
            values[i] = Requantization.Apply(values[i], scaleA.Length == 1 ? scaleA[0] : scaleA[i / columns % rows], scaleB.Length == 1 ? scaleB[0]
                : scaleB[i % columns], scaleY, zeroY, type);
        context.Set(0, Numbers.Of(type, shape, values));
    }
}
