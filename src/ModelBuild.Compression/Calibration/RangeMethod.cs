namespace ModelBuild.Compression.Calibration;

/// <summary>How the range of an activation is taken from its histogram.</summary>
public enum RangeMethod
{
    /// <summary>Everything that was seen.</summary>
    MinMax,

    /// <summary>The range with the least mean squared quantization error.</summary>
    MeanSquaredError,
}

/// <summary>Picks ranges.</summary>
public static class RangeEstimator
{
    /// <summary>The range to quantize; it always contains 0, so that 0 is represented exactly.</summary>
    /// <param name="histogram">The tensor's histogram.</param>
    /// <param name="method">The method.</param>
    /// <param name="levels">How many values the integer type has, for example 256.</param>
    public static (float Low, float High) Estimate(RangeHistogram histogram, RangeMethod method, int levels = 256)
    {
        var low = Math.Min(0, histogram.Minimum);
        var high = Math.Max(0, histogram.Maximum);
        if (histogram.Count == 0 || low > high || low == high)
            return (0, 0);
        return method == RangeMethod.MinMax ? (low, high) : LeastSquares(histogram, low, high, levels);
    }

    private static (float Low, float High) LeastSquares(RangeHistogram histogram, float low, float high, int levels)
    {
        // Each side shrinks on its own in steps of 4 % of the side that is in use.
        var bins = histogram.NonEmpty().ToArray();
        var best = (low, high);
        var least = double.PositiveInfinity;
        foreach (var l in Steps(low))
            foreach (var h in Steps(high))
            {
                var step = (h - l) / (levels - 1);
                if (step <= 0)
                    continue;
                var error = 0.0;
                var inside = 0L;
                foreach (var (value, count) in bins)
                {
                    if (value < l)
                        error += count * (l - value) * (l - value);
                    else if (value > h)
                        error += count * (value - h) * (value - h);
                    else
                        inside += count;
                }
                error += inside * step * step / 12;
                if (error < least)
                {
                    least = error;
                    best = ((float)l, (float)h);
                }
            }
        return best;
    }

    private static IEnumerable<double> Steps(float end)
    {
        if (end == 0)
            return [0];
        return Enumerable.Range(0, 20).Select(i => end * (1 - i * 0.04));
    }
}
