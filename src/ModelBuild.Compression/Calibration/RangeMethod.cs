namespace ModelBuild.Compression.Calibration;

/// <summary>How the range of an activation is taken from its histogram.</summary>
public enum RangeMethod
{
    /// <summary>Everything that was seen.</summary>
    MinMax,

    /// <summary>The range with the least mean squared quantization error.</summary>
    MeanSquaredError,

    /// <summary>All but the outermost 0.001 % of the values on either side.</summary>
    Percentile,

    /// <summary>The range whose 8-bit levels tell most about the distribution.</summary>
    Entropy,
}

/// <summary>
/// Picks ranges. How far the tails of a tensor reach is known only where many values were seen: where few were, nothing is clipped, and the range goes beyond
/// what was seen by twice what an exponential tail is expected to add (the mean excess over a high threshold, as in Coles, An Introduction to Statistical
/// Modeling of Extreme Values, 2001, chapter 4). A step that is too wide costs a few decibels; a tail that is cut off costs the answer.
/// </summary>
public static class RangeEstimator
{
    /// <summary>
    /// From so many values on (of one sign, zeros left out), what was seen is taken for all there is. Of n values of an exponential tail, the next one is
    /// beyond the largest with probability 1/n, and what is cut off has 1/n of the signal's power: 30 dB, a tenth of what a network may lose.
    /// </summary>
    private const int Many = 1000;

    /// <summary>The part of all values, zeros included, that <see cref="RangeMethod.Percentile"/> leaves beyond either end.</summary>
    private const double Beyond = 1e-5;

    /// <summary>The tail is at least so many values.</summary>
    private const int LeastTail = 8;

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
        var bins = histogram.NonEmpty().ToArray();
        var lower = Margin([.. bins.Where(b => b.Value < 0).Select(b => (-b.Value, b.Count))]);
        var upper = Margin([.. bins.Where(b => b.Value > 0).Select(b => (b.Value, b.Count)).Reverse()]);
        var (l, h) = method switch
        {
            RangeMethod.MeanSquaredError => LeastSquares(bins, Ends(low, lower), Ends(high, upper), levels),
            RangeMethod.Percentile => (lower is { } m ? low - m : -Percentile(histogram, -1, -low), upper is { } n ? high + n : Percentile(histogram, 1, high)),
            RangeMethod.Entropy => new EntropyRange(histogram, levels).Find(low - lower, high + upper),
            _ => (low - (lower ?? 0), high + (upper ?? 0)),
        };
        return ((float)l, (float)h);

        // Each side shrinks on its own in steps of 4 % of the side that is in use.
        static double[] Ends(float seen, double? margin) => margin is { } more ? [seen + Math.CopySign(more, seen)]
            : [.. Enumerable.Range(0, 20).Select(i => seen * (1 - i * 0.04))];
    }

    /// <summary>
    /// The range of a tensor that is an answer: what was seen, and a quarter more on either side. Its largest values decide, there are few of them in a sample,
    /// and those of other samples go beyond: what is cut off there costs more than a step that is a quarter wider, two decibels.
    /// </summary>
    /// <param name="histogram">The tensor's histogram.</param>
    public static (float Low, float High) OfAnswers(RangeHistogram histogram)
    {
        const float More = 1.25f;
        var (low, high) = Estimate(histogram, RangeMethod.MinMax);
        return histogram.Count == 0 ? (low, high)
            : (Math.Min(low, Math.Min(0, histogram.Minimum) * More), Math.Max(high, Math.Max(0, histogram.Maximum) * More));
    }

    /// <summary>How far one side is expected to go beyond the largest magnitude that was seen, until <see cref="Many"/> values are; null where they were
    /// seen.</summary>
    /// <param name="side">Magnitudes and how often each was seen, the largest first.</param>
    private static double? Margin((double Magnitude, long Count)[] side)
    {
        var n = side.Sum(b => b.Count);
        if (n is 0 or >= Many)
            return n == 0 ? 0 : null;
        var tail = Math.Max(n / 10, Math.Min(n, LeastTail));
        var (left, sum, threshold) = (tail, 0.0, 0.0);
        foreach (var (magnitude, count) in side)
        {
            var taken = Math.Min(left, count);
            sum += taken * magnitude;
            left -= taken;
            if (taken < count)
            {
                threshold = magnitude;
                break;
            }
        }
        // Twice what is expected: a mean of so few values is uncertain itself.
        return Math.Max(0, sum / tail - threshold) * 2 * Math.Log((double)Many / n);
    }

    /// <summary>
    /// The magnitude beyond which <see cref="Beyond"/> of all values lie on one side. Within a bin values are taken to lie evenly, so that where bins begin
    /// moves it by less than a bin.
    /// </summary>
    /// <param name="histogram">The histogram.</param>
    /// <param name="sign">1 for the upper side, -1 for the lower one.</param>
    /// <param name="seen">The largest magnitude that was seen on this side.</param>
    private static double Percentile(RangeHistogram histogram, int sign, double seen)
    {
        var counts = histogram.Counts;
        var middle = counts.Length / 2;
        var left = (histogram.Count - histogram.NonFinite) * Beyond;
        // Not a whole value may lie beyond.
        if (left < 1)
            return seen;
        for (var i = middle - 1; i >= 0; i--)
        {
            var count = counts[sign > 0 ? middle + i : middle - 1 - i];
            if (count >= left)
            {
                var (from, to) = (i * histogram.BinWidth, Math.Min(seen, (i + 1) * histogram.BinWidth));
                return Math.Min(seen, to - (to - from) * left / count);
            }
            left -= count;
        }
        // The side as a whole is less than that: very sparse, and all that the tensor says there.
        return seen;
    }

    private static (double Low, double High) LeastSquares((double Value, long Count)[] bins, double[] lows, double[] highs, int levels)
    {
        var best = (lows[0], highs[0]);
        if (lows.Length == 1 && highs.Length == 1)
            return best;
        var least = double.PositiveInfinity;
        foreach (var l in lows)
            foreach (var h in highs)
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
                    best = (l, h);
                }
            }
        return best;
    }
}
