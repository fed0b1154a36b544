namespace ModelBuild.Onnx;

/// <summary>Direct convolution in binary64 over one to three spatial dimensions. Exact for integers, whose sums stay below 2^53.</summary>
internal static class ConvolutionLoops
{
    /// <summary>Sizes of a convolution; spatial dimensions are three, with leading ones of extent 1.</summary>
    public sealed record Sizes(int Batch, int Channels, int Filters, int Groups, int[] Input, int[] Output, int[] Kernel, int[] Strides, int[] Dilations,
        int[] Before);

    /// <summary>Sizes from shapes [N,C,...] and [M,C/group,...].</summary>
    public static Sizes SizesOf(ReadOnlySpan<long> input, ReadOnlySpan<long> weights, int groups, Operators.SpatialWindow window)
    {
        var rank = input.Length - 2;
        if (rank is < 1 or > 3 || weights.Length != input.Length)
            throw new InvalidOperationException($"convolution over {rank} spatial dimensions with weights of {weights.Length} dimensions is not supported");
        if (groups <= 0 || input[1] != weights[1] * groups || weights[0] % groups != 0)
            throw new InvalidOperationException($"weights [{string.Join(',', weights.ToArray())}] do not fit {input[1]} channels in {groups} groups");
        int[] own = [1, 1, 1], result = [1, 1, 1], kernel = [1, 1, 1], strides = [1, 1, 1], dilations = [1, 1, 1], before = [0, 0, 0];
        for (var d = 0; d < rank; d++)
        {
            var at = 3 - rank + d;
            own[at] = (int)input[d + 2];
            result[at] = (int)Math.Max(0, window.Output(d, input[d + 2]).Value);
            kernel[at] = (int)window.Kernel[d];
            strides[at] = (int)window.Strides[d];
            dilations[at] = (int)window.Dilations[d];
            before[at] = (int)window.Before(d, input[d + 2]);
        }
        return new((int)input[0], (int)input[1], (int)weights[0], groups, own, result, kernel, strides, dilations, before);
    }

    /// <summary>The shape of the result.</summary>
    public static long[] ShapeOf(Sizes s, int rank) => [s.Batch, s.Filters, .. s.Output.TakeLast(rank).Select(static d => (long)d)];

    /// <summary>y[n,m,...] = bias[m] + sum over channels and kernel of x * w.</summary>
    public static double[] Run(double[] x, double[] w, double[]? bias, Sizes s)
    {
        var plane = s.Input[0] * s.Input[1] * s.Input[2];
        var outputPlane = s.Output[0] * s.Output[1] * s.Output[2];
        var taps = s.Kernel[0] * s.Kernel[1] * s.Kernel[2];
        var perGroup = s.Channels / s.Groups;
        var filtersPerGroup = s.Filters / s.Groups;
        var y = new double[Indexing.Length([s.Batch, s.Filters, outputPlane])];
        WorkBudget.Charge((double)y.Length * perGroup * taps);
        for (var n = 0; n < s.Batch; n++)
            for (var m = 0; m < s.Filters; m++)
            {
                var target = y.AsSpan((n * s.Filters + m) * outputPlane, outputPlane);
                if (bias is not null)
                    target.Fill(bias[m]);
                for (var c = 0; c < perGroup; c++)
                {
                    var source = x.AsSpan((n * s.Channels + m / filtersPerGroup * perGroup + c) * plane, plane);
                    AddChannel(source, w.AsSpan((m * perGroup + c) * taps, taps), target, s);
                }
            }
        return y;
    }

    private static void AddChannel(ReadOnlySpan<double> source, ReadOnlySpan<double> w, Span<double> target, Sizes s)
    {
        var tap = 0;
        for (var kd = 0; kd < s.Kernel[0]; kd++)
            for (var kh = 0; kh < s.Kernel[1]; kh++)
                for (var kw = 0; kw < s.Kernel[2]; kw++)
                {
                    var factor = w[tap++];
                    // Places of the window along a row at which this tap lies inside the input.
                    var offset = kw * s.Dilations[2] - s.Before[2];
                    var stride = s.Strides[2];
                    var first = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
                    var end = Math.Min(s.Output[2], offset >= s.Input[2] ? 0 : (s.Input[2] - 1 - offset) / stride + 1);
                    if (first >= end)
                        continue;
                    for (var d = 0; d < s.Output[0]; d++)
                    {
                        var id = d * s.Strides[0] + kd * s.Dilations[0] - s.Before[0];
                        if ((uint)id >= (uint)s.Input[0])
                            continue;
                        for (var h = 0; h < s.Output[1]; h++)
                        {
                            var ih = h * s.Strides[1] + kh * s.Dilations[1] - s.Before[1];
                            if ((uint)ih >= (uint)s.Input[1])
                                continue;
                            var row = source.Slice((id * s.Input[1] + ih) * s.Input[2], s.Input[2]);
                            var to = target.Slice((d * s.Output[1] + h) * s.Output[2], s.Output[2]);
                            if (stride == 1)
                                LinearAlgebra.AddScaled(factor, row.Slice(first + offset, end - first), to[first..end]);
                            else
                                for (int i = first, at = first * stride + offset; i < end; i++, at += stride)
                                    to[i] += factor * row[at];
                        }
                    }
                }
    }
}
