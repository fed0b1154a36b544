namespace ModelBuild.Compression.Calibration;

/// <summary>
/// What one activation tensor looked like over all samples: exact minimum and maximum, the number of exact zeros, and a histogram whose range doubles
/// when a value falls outside, so that one pass over the data is enough and no activation is kept.
/// </summary>
public sealed class RangeHistogram
{
    /// <summary>Bins over [-limit, limit]. 128 bins would degenerate to min-max; 2048 a side resolve the tails.</summary>
    private const int Bins = 4096;
    private readonly long[] _counts = new long[Bins];
    private double _limit;

    /// <summary>The smallest value seen.</summary>
    public float Minimum { get; private set; } = float.PositiveInfinity;

    /// <summary>The largest value seen.</summary>
    public float Maximum { get; private set; } = float.NegativeInfinity;

    /// <summary>How many values were seen, zeros included.</summary>
    public long Count { get; private set; }

    /// <summary>How many were exactly 0: quantization represents them without error.</summary>
    public long Zeros { get; private set; }

    /// <summary>How many were infinite or not a number; they are in no bin.</summary>
    public long NonFinite { get; private set; }

    /// <summary>All bins from -limit to limit; zeros are in none.</summary>
    internal ReadOnlySpan<long> Counts => _counts;

    /// <summary>How wide a bin is; the lower end of the one in the middle is 0.</summary>
    internal double BinWidth => 2 * _limit / Bins;

    /// <summary>Adds values.</summary>
    public void Add(ReadOnlySpan<float> values)
    {
        float low = float.PositiveInfinity, high = float.NegativeInfinity;
        foreach (var v in values)
        {
            if (!float.IsFinite(v))
                continue;
            low = Math.Min(low, v);
            high = Math.Max(high, v);
        }
        Count += values.Length;
        if (low > high)
        {
            NonFinite += values.Length;
            return;
        }
        Minimum = Math.Min(Minimum, low);
        Maximum = Math.Max(Maximum, high);
        var needed = Math.Max(Math.Abs(low), Math.Abs(high));
        if (_limit == 0 && needed > 0)
            _limit = needed * 1.0000001;
        while (needed > _limit)
            Double();
        // Without a limit all that is finite is 0, and no bin is looked for.
        var scale = _limit == 0 ? 0 : Bins / 2 / _limit;
        foreach (var v in values)
        {
            if (v == 0)
                Zeros++;
            else if (float.IsFinite(v))
                _counts[Math.Min(Bins - 1, (int)((v + _limit) * scale))]++;
            else
                NonFinite++;
        }
    }

    /// <summary>The middles of the bins that are not empty, with their counts. Zeros are left out.</summary>
    public IEnumerable<(double Value, long Count)> NonEmpty()
    {
        var width = BinWidth;
        for (var i = 0; i < Bins; i++)
            if (_counts[i] > 0)
                yield return (-_limit + (i + 0.5) * width, _counts[i]);
    }

    private void Double()
    {
        // Two bins become one; the old range is the middle half of the new one.
        Span<long> merged = stackalloc long[Bins / 2];
        for (var i = 0; i < Bins / 2; i++)
            merged[i] = _counts[2 * i] + _counts[2 * i + 1];
        Array.Clear(_counts);
        merged.CopyTo(_counts.AsSpan(Bins / 4));
        _limit *= 2;
    }
}
