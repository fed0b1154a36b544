namespace ModelBuild.Onnx.Operators;

/// <summary>Convolution over two spatial dimensions whose taps are displaced by given offsets, with linear interpolation, and optionally weighted by a
/// mask.</summary>
internal sealed class DeformConv : Operator
{
    public override string Name => "DeformConv";

    public override int FirstVersion => 19;

    public override void Infer(InferenceContext context) => context.Set(0, context.ElementType(0), ConvolutionShape.Infer(context, 0, 1));

    public override InputRole Role(Node node, int input) => input switch { 1 => InputRole.Weights, 3 => InputRole.Bias, _ => InputRole.Activation };

    public override WeightChannels Channels(Node node, int input) => input == 1 ? new(0, 1) : WeightChannels.None;

    public override void Axes(AxesContext context)
    {
        var groups = context.Node.Int("group", 1);
        foreach (var input in (int[])[0, 2, 4])
            context.Link(input, 0, 0, 0);
        context.Link(1, 0, 0, 1);
        context.Link(3, 0, 0, 1);
        if (groups > 1)
            context.Link(AxesContext.In(0, 1) with { Inner = context.Size(0, 1) / groups }, AxesContext.Out(0, 1) with { Inner = context.Size(1, 0) / groups },
                groups);
        context.Tie(AxesContext.In(0, 1) with { Outer = groups }, AxesContext.In(1, 1), context.Size(1, 1));
        // A place of the result reads its own displacements, and the image wherever they point.
        for (var axis = 2; axis < context.OutputRank(0); axis++)
        {
            context.Link(2, axis, 0, axis);
            context.Link(4, axis, 0, axis);
        }
        context.Rest(AxisKind.Mixed);
    }

    // Groups of displacements belong to runs of channels, which a cut would shift.
    public override string? Cut(CutContext context) => context.CutsOutput(0, 2) || context.CutsOutput(0, 3) ? "there is a displacement for each place"
        : context.Node.Int("offset_group", 1) > 1 && context.CutsInput(0, 1) ? "displacements belong to groups of channels"
        : ConvolutionAxes.Cut(context, 0, 1);

    public override Work Work(WorkContext context) => ConvolutionAxes.Work(context, 1);

    public override void Execute(ExecutionContext context)
    {
        var (x, w, offset) = (context.Input(0), context.Input(1), context.Input(2));
        if (x.Rank != 4)
            throw context.Unsupported($"{x.Rank - 2} spatial dimensions");
        var s = ConvolutionShape.Sizes(context.Node, x, w);
        var bias = context.Optional(3) is { } b ? Numbers.Doubles(b) : null;
        var mask = context.Optional(4) is { } m ? Numbers.Doubles(m) : null;
        var groups = (int)context.Node.Int("offset_group", 1);
        var (values, weights, offsets) = (Numbers.Doubles(x), Numbers.Doubles(w), Numbers.Doubles(offset));
        var (height, width, rows, columns) = (s.Input[1], s.Input[2], s.Output[1], s.Output[2]);
        var (kernelRows, kernelColumns) = (s.Kernel[1], s.Kernel[2]);
        var (taps, plane, places) = (kernelRows * kernelColumns, height * width, rows * columns);
        context.Require(offset.Length == (long)s.Batch * groups * taps * 2 * places && (mask is null || mask.Length == s.Batch * groups * taps * places),
            "offsets or mask do not fit");
        var perGroup = s.Channels / s.Groups;
        var result = new double[s.Batch * s.Filters * places];
        for (var n = 0; n < s.Batch; n++)
            for (var f = 0; f < s.Filters; f++)
                for (var p = 0; p < places; p++)
                {
                    var sum = bias is null ? 0 : bias[f];
                    for (var c = 0; c < perGroup; c++)
                    {
                        var channel = f / (s.Filters / s.Groups) * perGroup + c;
                        var group = channel / (s.Channels / groups);
                        for (var t = 0; t < taps; t++)
                        {
                            var at = ((n * groups + group) * taps + t) * 2 * places + p;
                            var y = p / columns * s.Strides[1] - s.Before[1] + t / kernelColumns * s.Dilations[1] + offsets[at];
                            var z = p % columns * s.Strides[2] - s.Before[2] + t % kernelColumns * s.Dilations[2] + offsets[at + places];
                            var value = Sample(values.AsSpan((n * s.Channels + channel) * plane, plane), height, width, y, z);
                            sum += value * weights[(f * perGroup + c) * taps + t] * (mask is null ? 1 : mask[((n * groups + group) * taps + t) * places + p]);
                        }
                    }
                    result[(n * s.Filters + f) * places + p] = sum;
                }
        context.Set(0, Numbers.Of(x.ElementType, [.. ConvolutionLoops.ShapeOf(s, 2)], result));
    }

    private static double Sample(ReadOnlySpan<double> plane, int height, int width, double y, double x)
    {
        var (top, left) = ((int)Math.Floor(y), (int)Math.Floor(x));
        double sum = 0;
        for (var i = 0; i < 2; i++)
            for (var k = 0; k < 2; k++)
                if (top + i >= 0 && top + i < height && left + k >= 0 && left + k < width)
                    sum += (1 - Math.Abs(y - top - i)) * (1 - Math.Abs(x - left - k)) * plane[(top + i) * width + left + k];
        return sum;
    }
}
