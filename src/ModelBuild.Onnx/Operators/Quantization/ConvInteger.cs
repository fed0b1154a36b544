namespace ModelBuild.Onnx.Operators;

/// <summary>Convolution of 8-bit integers minus their zero points, in 32-bit integers.</summary>
internal sealed class ConvInteger : Operator
{
    public override string Name => "ConvInteger";

    public override int FirstVersion => 10;

    public override void Infer(InferenceContext context) => context.Set(0, ElementType.Int32, ConvolutionShape.Infer(context, 0, 1));

    public override InputRole Role(Node node, int input) => input switch { 1 => InputRole.Weights, 2 or 3 => InputRole.ZeroPoint, _ => InputRole.Activation };

    public override WeightChannels Channels(Node node, int input) => input == 1 ? new(0, 1) : WeightChannels.None;

    public override void Axes(AxesContext context)
    {
        ConvolutionAxes.State(context, 0, 1);
        ConvolutionAxes.PerChannel(context, 3);
        if (context.Rank(2) == 1 && context.Size(2, 0) is { IsConstant: true, Value: > 1 })
            context.Contract(0, 1, 2, 0);
    }

    public override string? Cut(CutContext context) => ConvolutionAxes.Cut(context, 0, 1);

    public override Work Work(WorkContext context) => ConvolutionAxes.Work(context, 1);

    public override void Execute(ExecutionContext context)
    {
        var (x, w) = (context.Input(0), context.Input(1));
        var sizes = ConvolutionShape.Sizes(context.Node, x, w);
        // Padding stands for the zero point, that is 0 once it is taken off.
        var y = ConvolutionLoops.Run(IntegerOperands.Shifted(x, context.Optional(2), 1), IntegerOperands.Shifted(w, context.Optional(3), 0), null, sizes);
        context.Set(0, Numbers.Of(ElementType.Int32, [.. ConvolutionLoops.ShapeOf(sizes, x.Rank - 2)], y));
    }
}
