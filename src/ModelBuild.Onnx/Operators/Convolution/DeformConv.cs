namespace ModelBuild.Onnx.Operators;

/// <summary>Convolution over two spatial dimensions whose taps are displaced by given offsets, with linear interpolation, and optionally weighted by a mask.</summary>
internal sealed class DeformConv : Operator
{
    public override string Name => "DeformConv";

    public override int FirstVersion => 19;

    public override void Infer(InferenceContext context) => context.Set(0, context.ElementType(0), ConvolutionShape.Infer(context, 0, 1));

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
        context.Require(offset.Length == (long)s.Batch * groups * taps * 2 * places && (mask is null || mask.Length == s.Batch * groups * taps * places), "offsets or mask do not fit");
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
