namespace ModelBuild.Onnx.Operators;

/// <summary>Convolution (cross-correlation) with groups, strides, dilations and padding.</summary>
internal sealed class Conv : Operator
{
    public override string Name => "Conv";

    public override void Infer(InferenceContext context) => context.Set(0, context.ElementType(0), ConvolutionShape.Infer(context, 0, 1));

    public override InputRole Role(Node node, int input) => input switch { 1 => InputRole.Weights, 2 => InputRole.Bias, _ => InputRole.Activation };

    public override WeightChannels Channels(Node node, int input) => input == 1 ? new(0, 1) : WeightChannels.None;

    public override void Axes(AxesContext context)
    {
        ConvolutionAxes.State(context, 0, 1);
        context.Link(2, 0, 0, 1);
    }

    public override string? Cut(CutContext context) => ConvolutionAxes.Cut(context, 0, 1);

    public override Work Work(WorkContext context) => ConvolutionAxes.Work(context, 1);

    public override void Execute(ExecutionContext context)
    {
        var (x, w) = (context.Input(0), context.Input(1));
        var sizes = ConvolutionShape.Sizes(context.Node, x, w);
        var bias = context.Optional(2) is { } b ? Numbers.Doubles(b) : null;
        context.Require(bias is null || bias.Length == sizes.Filters, "the bias does not fit the filters");
        var y = ConvolutionLoops.Run(Numbers.Doubles(x), Numbers.Doubles(w), bias, sizes);
        context.Set(0, Numbers.Of(x.ElementType, [.. ConvolutionLoops.ShapeOf(sizes, x.Rank - 2)], y));
    }
}
