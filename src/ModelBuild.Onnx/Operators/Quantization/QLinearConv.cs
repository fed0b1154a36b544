namespace ModelBuild.Onnx.Operators;

/// <summary>Convolution of quantized tensors, quantized again; the bias is in units of input scale times weight scale.</summary>
internal sealed class QLinearConv : Operator
{
    public override string Name => "QLinearConv";

    public override int FirstVersion => 10;

    public override void Infer(InferenceContext context) => context.Set(0, context.ElementType(7), ConvolutionShape.Infer(context, 0, 3));

    public override InputRole Role(Node node, int input) => input switch
    {
        1 or 4 or 6 => InputRole.Scale,
        2 or 5 or 7 => InputRole.ZeroPoint,
        3 => InputRole.Weights,
        8 => InputRole.Bias,
        _ => InputRole.Activation,
    };

    public override WeightChannels Channels(Node node, int input) => input == 3 ? new(0, 1) : WeightChannels.None;

    public override void Axes(AxesContext context)
    {
        ConvolutionAxes.State(context, 0, 3);
        ConvolutionAxes.PerChannel(context, 4, 5);
        if (context.Rank(2) == 1 && context.Size(2, 0) is { IsConstant: true, Value: > 1 })
            context.Contract(0, 1, 2, 0);
        context.Link(8, 0, 0, 1);
    }

    public override string? Cut(CutContext context) => ConvolutionAxes.Cut(context, 0, 3);

    public override Work Work(WorkContext context) => ConvolutionAxes.Work(context, 3);

    public override void Execute(ExecutionContext context)
    {
        var (x, w) = (context.Input(0), context.Input(3));
        var sizes = ConvolutionShape.Sizes(context.Node, x, w);
        var bias = context.Optional(8) is { } b ? Numbers.Doubles(b) : null;
        var y = ConvolutionLoops.Run(IntegerOperands.Shifted(x, context.Input(2), 1), IntegerOperands.Shifted(w, context.Input(5), 0), bias, sizes);
        var (scaleX, scaleW) = (Numbers.Doubles(context.Input(1))[0], Numbers.Doubles(context.Input(4)));
        var (scaleY, zeroY) = (Numbers.Doubles(context.Input(6))[0], Numbers.Doubles(context.Input(7))[0]);
        var type = context.Input(7).ElementType;
        var plane = sizes.Output[0] * sizes.Output[1] * sizes.Output[2];
        for (var i = 0; i < y.Length; i++)
            y[i] = Requantization.Apply(y[i], scaleX, scaleW[scaleW.Length == 1 ? 0 : i / plane % sizes.Filters], scaleY, zeroY, type);
        context.Set(0, Numbers.Of(type, [.. ConvolutionLoops.ShapeOf(sizes, x.Rank - 2)], y));
    }
}
