namespace ModelBuild.Compression.Calibration;

/// <summary>
/// The range with the least divergence of what its levels tell from what was seen (Migacz, 8-bit Inference with TensorRT, 2017), with each end on its own.
/// The reference is the histogram within the range, what lies beyond added to its outermost bins. The candidate is the histogram within the range, without
/// what lies beyond, summed up by the level that values round to, and each sum spread evenly over those bins of the level that are not empty in the reference.
/// <para>The divergence is that of measures, sum of p log(p/q) - p + q: the same as of distributions but for terms of second order in what is cut off. Were the
/// candidate scaled up to the reference's sum, a range that holds nothing but its outermost bin would have none.</para>
/// <para>Zeros are left out: they are a level of their own in any range, so that they would be the same in both and add nothing. Other single values that occur
/// often (the background of pictures after a layer with a bias, say) round to one level, too, wherever its ends are: that they do is no loss, and what of their
/// bins stands out counts only where it lies beyond the range. Otherwise a range would be narrowed until no other bin shares their level.</para>
/// </summary>
internal sealed class EntropyRange
{
    /// <summary>Ends that are tried on either side where both move, and where one does; then those between the best and its neighbours.</summary>
    private const int Steps = 32;
    private const int StepsAlone = 512;

    /// <summary>What a bin in which the candidate has nothing is taken to hold: nothing was seen of it, but less than one value would not have been.</summary>
    private const double Unseen = 0.5;

    /// <summary>A bin stands out from so many times its larger neighbours.</summary>
    private const int Outstanding = 4;

    private readonly RangeHistogram _histogram;
    private readonly int _levels;
    private readonly long[] _even;
    // Sums over the bins before each: of all counts, of those without what stands out, of bins that are not empty of these, of c log c of these.
    private readonly long[] _all;
    private readonly long[] _counts;
    private readonly int[] _filled;
    private readonly double[] _entropies;
    private readonly int _middle;

    /// <summary>Prepares the search.</summary>
    /// <param name="histogram">The tensor's histogram.</param>
    /// <param name="levels">How many values the integer type has.</param>
    public EntropyRange(RangeHistogram histogram, int levels)
    {
        (_histogram, _levels) = (histogram, levels);
        var counts = histogram.Counts;
        _middle = counts.Length / 2;
        _even = [.. Enumerable.Range(0, counts.Length).Select(i => Even(histogram.Counts, i))];
        _all = new long[counts.Length + 1];
        _counts = new long[counts.Length + 1];
        _filled = new int[counts.Length + 1];
        _entropies = new double[counts.Length + 1];
        for (var i = 0; i < counts.Length; i++)
        {
            _all[i + 1] = _all[i] + counts[i];
            _counts[i + 1] = _counts[i] + _even[i];
            _filled[i + 1] = _filled[i] + (_even[i] > 0 ? 1 : 0);
            _entropies[i + 1] = _entropies[i] + Entropy(_even[i]);
        }
    }

    /// <summary>A bin's count without what stands out. Those beside 0 may hold a whole distribution where another value is far larger.</summary>
    private static long Even(ReadOnlySpan<long> counts, int bin)
    {
        if (bin == counts.Length / 2 || bin == counts.Length / 2 - 1)
            return counts[bin];
        var around = 0L;
        for (var i = Math.Max(0, bin - 2); i <= Math.Min(counts.Length - 1, bin + 2); i++)
            if (i != bin)
                around = Math.Max(around, counts[i]);
        return Math.Min(counts[bin], around * Outstanding);
    }

    /// <summary>The range.</summary>
    /// <param name="low">The lower end where it is settled, or null to search for it.</param>
    /// <param name="high">The upper end where it is settled, or null.</param>
    public (double Low, double High) Find(double? low, double? high)
    {
        if (low is { } l && high is { } h)
            return (l, h);
        var width = _histogram.BinWidth;
        // Magnitudes in bins; the widest first, so that of equals the one that cuts off least is taken.
        var (lower, upper) = (Side(low, _histogram.Minimum, high is not null), Side(high, _histogram.Maximum, low is not null));
        var best = (Lower: lower.Most, Upper: upper.Most);
        var least = Divergence(best.Lower, best.Upper);
        void Try(double a, double b)
        {
            // In fewer bins than levels the histogram does not show what rounding costs.
            if (a < 0 || b < 0 || a > lower.Most || b > upper.Most || a + b < _levels)
                return;
            var divergence = Divergence(a, b);
            if (divergence < least)
                (least, best) = (divergence, (a, b));
        }

        for (var a = lower.Most; a >= 0; a -= lower.Step)
        {
            for (var b = upper.Most; b >= 0; b -= upper.Step)
            {
                Try(a, b);
                if (upper.Step == 0)
                    break;
            }
            if (lower.Step == 0)
                break;
        }
        for (var (da, db) = (lower.Step / 2, upper.Step / 2); da + db > 0; (da, db) = (da / 2, db / 2))
        {
            var (a, b) = best;
            for (var i = -1; i <= 1; i++)
                for (var j = -1; j <= 1; j++)
                    if ((i == 0 || da > 0) && (j == 0 || db > 0))
                        Try(a + i * da, b + j * db);
        }
        return (low ?? -Math.Min(best.Lower * width, -Math.Min(0, (double)_histogram.Minimum)),
            high ?? Math.Min(best.Upper * width, Math.Max(0, (double)_histogram.Maximum)));

        (double Most, int Step) Side(double? settled, float seen, bool alone)
        {
            if (settled is { } end)
                return (Math.Abs(end) / width, 0);
            var most = Math.Ceiling(Math.Min(Math.Abs(seen) / width, _middle));
            return (most, Math.Max(1, (int)most / (alone ? StepsAlone : Steps)));
        }
    }

    private static double Entropy(double count) => count > 0 ? count * Math.Log(count) : 0;

    /// <summary>The divergence of a range of so many bins below and above 0, times how many values there are.</summary>
    private double Divergence(double lower, double upper)
    {
        // An end that is settled may lie anywhere in a bin, or beyond all.
        var (first, end) = (_middle - (int)Math.Min(_middle, Math.Ceiling(lower)), _middle + (int)Math.Min(_middle, Math.Ceiling(upper)));
        var (below, above) = (_all[first], _all[^1] - _all[end]);
        var sum = _entropies[end] - _entropies[first];
        if (below > 0)
            sum += Entropy(_even[first] + below) - Entropy(_even[first]);
        if (above > 0)
            sum += Entropy(_even[end - 1] + above) - Entropy(_even[end - 1]);
        // 0 is a level, so that the others lie at multiples of the step.
        var step = (lower + upper) / (_levels - 1);
        var start = first;
        for (var level = Math.Floor(-lower / step); start < end; level++)
        {
            var next = Math.Min(end, _middle + (int)Math.Ceiling((level + 0.5) * step - 0.5));
            if (next <= start)
                continue;
            var inside = _counts[next] - _counts[start];
            var filled = _filled[next] - _filled[start];
            var seen = inside;
            if (start == first && below > 0)
            {
                seen += below;
                filled += _even[first] == 0 ? 1 : 0;
            }
            if (next == end && above > 0)
            {
                seen += above;
                filled += _even[end - 1] == 0 ? 1 : 0;
            }
            if (seen > 0)
            {
                var told = Math.Max(inside, Unseen);
                sum += told - seen - seen * Math.Log(told / filled);
            }
            start = next;
        }
        return sum;
    }
}
