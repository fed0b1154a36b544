namespace ModelBuild.Onnx.Operators;

/// <summary>Matrix product with batch dimensions.</summary>
internal sealed class MatMul : Operator
{
    public override string Name => "MatMul";

    public override void Infer(InferenceContext context) => context.Set(0, context.ElementType(0), MatrixShape.Infer(context, 0, 1));

    public override InputRole Role(Node node, int input) => MatrixShape.IsWeights(node, input, 0, 1) ? InputRole.Weights : InputRole.Activation;

    public override WeightChannels Channels(Node node, int input) => MatrixShape.Channels(node, input, 0, 1);

    public override void Axes(AxesContext context) => MatrixShape.Axes(context, 0, 1);

    public override string? Cut(CutContext context) => null;

    public override Work Work(WorkContext context) => MatrixShape.Work(context, 0);

    public override void Execute(ExecutionContext context)
    {
        var (a, b) = (context.Input(0), context.Input(1));
        context.Require(a.ElementType == b.ElementType, $"the inputs are {a.ElementType} and {b.ElementType}");
        var (values, shape) = MatrixShape.Multiply(Numbers.Doubles(a), a.Shape, Numbers.Doubles(b), b.Shape);
        context.Set(0, Numbers.Of(a.ElementType, shape, values));
    }
}
