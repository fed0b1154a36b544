namespace ModelBuild.Compression.Metrics;

/// <summary>
/// Root mean square difference to what the output should be, over the standard deviation of that: the original's output, or expected values where the data has
/// them. The loss is what the candidate's has more than the original's.
/// </summary>
public sealed class Rmse : Metric
{
    /// <inheritdoc/>
    public override string Name => "rmse";

    /// <inheritdoc/>
    public override double DefaultBudget => 0.1;

    /// <inheritdoc/>
    public override int StatisticCount => 6;

    /// <inheritdoc/>
    public override void Measure(in JudgedAnswer answer, Span<double> statistics)
    {
        var sums = Distance.Of(answer);
        (statistics[0], statistics[1], statistics[2], statistics[3], statistics[4], statistics[5]) = (sums.Count, sums.Finite, sums.Sum, sums.Power,
            sums.Original, sums.Compressed);
    }

    /// <inheritdoc/>
    public override MetricValue Evaluate(ReadOnlySpan<double> sums)
    {
        var count = sums[1];
        var mean = sums[2] / count;
        var deviation = Math.Sqrt(Math.Max(0, sums[3] / count - mean * mean));
        double Relative(double noise) => noise == 0 ? 0 : Math.Sqrt(noise / count) / deviation;
        var (original, compressed) = (Relative(sums[4]), Relative(sums[5]));
        return new(original, compressed, double.IsInfinity(compressed) ? double.PositiveInfinity : sums[4] == sums[5] ? 0 : compressed - original);
    }
}
