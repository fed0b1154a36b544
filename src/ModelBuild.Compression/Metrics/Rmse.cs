namespace ModelBuild.Compression.Metrics;

/// <summary>Root mean square difference to the original's output, over the standard deviation of that output.</summary>
public sealed class Rmse : Metric
{
    /// <inheritdoc/>
    public override string Name => "rmse";

    /// <inheritdoc/>
    public override double DefaultBudget => 0.1;

    /// <inheritdoc/>
    public override int StatisticCount => 4;

    /// <inheritdoc/>
    public override void Measure(ReadOnlySpan<float> reference, ReadOnlySpan<float> candidate, OutputShape shape, ReadOnlySpan<long> labels, Span<double> statistics)
    {
        double sum = 0, squares = 0, noise = 0;
        for (var i = 0; i < reference.Length; i++)
        {
            double d = reference[i] - (double)candidate[i];
            sum += reference[i];
            squares += (double)reference[i] * reference[i];
            noise += d * d;
        }
        statistics[0] = reference.Length;
        statistics[1] = sum;
        statistics[2] = squares;
        statistics[3] = double.IsNaN(noise) ? double.PositiveInfinity : noise;
    }

    /// <inheritdoc/>
    public override MetricValue Evaluate(ReadOnlySpan<double> sums)
    {
        if (sums[3] == 0 || sums[0] == 0)
            return new(0, 0, 0);
        var mean = sums[1] / sums[0];
        var deviation = Math.Sqrt(Math.Max(0, sums[2] / sums[0] - mean * mean));
        var rmse = deviation == 0 ? double.PositiveInfinity : Math.Sqrt(sums[3] / sums[0]) / deviation;
        return new(0, rmse, rmse);
    }
}
