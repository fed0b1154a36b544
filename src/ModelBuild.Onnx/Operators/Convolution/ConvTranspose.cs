using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>Transposed convolution: every input element adds the kernel, scaled, to the output.</summary>
internal sealed class ConvTranspose : Operator
{
    public override string Name => "ConvTranspose";

    public override void Infer(InferenceContext context)
    {
        var (x, w) = (context.Shape(0), context.Shape(1));
        if (x.IsDefault || w.IsDefault || w.Skip(2).Any(static d => !d.IsConstant))
        {
            context.Set(0, context.ElementType(0), x.IsDefault ? default : Shapes.OfRank(x.Length));
            return;
        }
        long[] kernel = [.. w.Skip(2).Select(static d => d.Value)];
        context.Require(kernel.Length == x.Length - 2, $"the weights do not fit {context.Input(0)}");
        var spatial = x.Skip(2).Select((d, i) => Output(context.Node, i, kernel, d, out _));
        context.Set(0, context.ElementType(0), [x[0], w[1] * context.Node.Int("group", 1), .. spatial]);
    }

    public override InputRole Role(Node node, int input) => input switch { 1 => InputRole.Weights, 2 => InputRole.Bias, _ => InputRole.Activation };

    // One scale for each filter of each input channel.
    public override WeightChannels Channels(Node node, int input) => input == 1 ? new(0, 2) : WeightChannels.None;

    public override void Axes(AxesContext context)
    {
        var groups = context.Node.Int("group", 1);
        context.Link(0, 0, 0, 0);
        context.Link(AxesContext.In(1, 1), AxesContext.Out(0, 1) with { Outer = groups }, context.Size(1, 1));
        context.Link(2, 0, 0, 1);
        if (groups > 1)
        {
            var filters = AxesContext.Out(0, 1) with { Inner = context.Size(1, 1) };
            context.Link(AxesContext.In(0, 1) with { Inner = context.Size(0, 1) / groups }, filters, groups);
            context.Link(AxesContext.In(1, 0) with { Inner = context.Size(1, 0) / groups }, filters, groups);
        }
        context.Contract(0, 1, 1, 0);
        context.Rest(AxisKind.Mixed);
    }

    public override string? Cut(CutContext context)
    {
        var groups = context.Node.Int("group", 1);
        return groups == 1 ? null : ConvolutionAxes.Cut(context, groups, NodeAxis.OfOutput(0, 1), NodeAxis.OfInput(0, 1), NodeAxis.OfInput(1, 1));
    }

    public override Work Work(WorkContext context)
    {
        // Each input element is multiplied by its channel's filters; shared out among the output's elements.
        var perOutput = context.Shape(1) is { } w ? WorkContext.Product(w, 1) * (w[0] / Math.Max(1, context.Node.Int("group", 1))) / Math.Max(1, w[1]) : 1;
        return context.Work(context.OutputElements() * perOutput);
    }

    public override void Execute(ExecutionContext context)
    {
        var (x, w) = (context.Input(0), context.Input(1));
        var node = context.Node;
        var rank = x.Rank - 2;
        var kernel = w.Shape.AsSpan()[2..].ToArray();
        var groups = (int)node.Int("group", 1);
        context.Require(w.Rank == x.Rank && groups > 0 && w.Shape[0] == x.Shape[1] && w.Shape[0] % groups == 0, $"weights {w} do not fit {x}");
        var strides = node.Ints("strides") ?? [.. Enumerable.Repeat(1L, rank)];
        var dilations = node.Ints("dilations") ?? [.. Enumerable.Repeat(1L, rank)];
        var before = new long[rank];
        var spatial = new long[rank];
        for (var d = 0; d < rank; d++)
            spatial[d] = Output(node, d, kernel, x.Shape[d + 2], out before[d]).Value;
        var filters = (int)w.Shape[1] * groups;
        ImmutableArray<long> shape = [x.Shape[0], filters, .. spatial];
        var y = new double[Indexing.Length(shape)];
        var (from, weights) = (Numbers.Doubles(x), Numbers.Doubles(w));
        var (plane, outputPlane, taps) = ((int)Indexing.Product(x.Shape.AsSpan(), 2, x.Rank), (int)Tensor.Count(spatial), (int)Tensor.Count(kernel));
        if (context.Optional(2) is { } b)
        {
            var bias = Numbers.Doubles(b);
            for (var i = 0; i < y.Length; i++)
                y[i] = bias[i / outputPlane % filters];
        }
        // Per input element and tap: the place in the output plane, or -1 where it is cut off.
        var places = Places(x.Shape.AsSpan()[2..].ToArray(), kernel, spatial, strides, dilations, before);
        var (channels, perGroup, filtersPerGroup) = ((int)x.Shape[1], (int)x.Shape[1] / groups, (int)w.Shape[1]);
        for (var n = 0; n < x.Shape[0]; n++)
            for (var c = 0; c < channels; c++)
                for (var m = 0; m < filtersPerGroup; m++)
                {
                    var target = y.AsSpan((n * filters + c / perGroup * filtersPerGroup + m) * outputPlane, outputPlane);
                    var tap = weights.AsSpan((c * filtersPerGroup + m) * taps, taps);
                    for (var i = 0; i < plane; i++)
                    {
                        var v = from[(n * channels + c) * plane + i];
                        for (var k = 0; k < taps; k++)
                            if (places[i * taps + k] is >= 0 and var at)
                                target[at] += v * tap[k];
                    }
                }
        context.Set(0, Numbers.Of(x.ElementType, shape, y));
    }

    private static int[] Places(long[] input, long[] kernel, long[] output, long[] strides, long[] dilations, long[] before)
    {
        long[] all = [.. input, .. kernel];
        var outputStrides = Indexing.Strides(output);
        var places = new int[Indexing.Length(all)];
        var at = new long[all.Length];
        for (var i = 0; i < places.Length; i++)
        {
            long place = 0;
            for (var d = 0; d < input.Length && place >= 0; d++)
            {
                var o = at[d] * strides[d] + at[input.Length + d] * dilations[d] - before[d];
                place = o >= 0 && o < output[d] ? place + o * outputStrides[d] : -1;
            }
            places[i] = (int)place;
            for (var d = at.Length - 1; d >= 0 && ++at[d] == all[d]; d--)
                at[d] = 0;
        }
        return places;
    }

    /// <summary>The extent of the output along a spatial dimension, and how much of it is cut off at the beginning.</summary>
    private static Dimension Output(Node node, int d, long[] kernel, Dimension input, out long before)
    {
        var rank = kernel.Length;
        var stride = node.Ints("strides")?[d] ?? 1;
        var extent = (kernel[d] - 1) * (node.Ints("dilations")?[d] ?? 1) + 1;
        var extra = node.Ints("output_padding")?[d] ?? 0;
        var pads = node.Ints("pads");
        var auto = node.String("auto_pad", "NOTSET");
        before = auto == "NOTSET" && pads is not null ? pads[d] : 0;
        Dimension? wanted = node.Ints("output_shape") is { } s ? s[s.Length - rank + d] : auto is "SAME_UPPER" or "SAME_LOWER" ? input * stride : null;
        var full = (input - 1) * stride + extent + extra;
        if (wanted is not { } output)
            return full - (auto == "NOTSET" && pads is not null ? pads[d] + pads[d + rank] : 0);
        if ((full - output) is { IsConstant: true } cut)
            before = auto == "SAME_UPPER" ? Math.Max(0, cut.Value) / 2 : auto == "SAME_LOWER" || node.Ints("output_shape") is not null
                ? Math.Max(0, cut.Value) - Math.Max(0, cut.Value) / 2 : 0;
        return output;
    }
}
