namespace ModelBuild.Compression.Metrics;

/// <summary>
/// Share of decisions that are as they should be, for outputs that are the class itself (ArgMax, the label of a classifier): as the original's, or as expected
/// where the data says so. The loss is the share that the original has more.
/// </summary>
public sealed class LabelAgreement : Metric
{
    /// <inheritdoc/>
    public override string Name => "agreement";

    /// <inheritdoc/>
    public override double DefaultBudget => 0.02;

    /// <inheritdoc/>
    public override int StatisticCount => 3;

    /// <inheritdoc/>
    public override void Measure(in JudgedAnswer answer, Span<double> statistics)
    {
        for (var i = 0; i < answer.Target.Length; i++)
        {
            statistics[0]++;
            statistics[1] += answer.Target[i] == answer.Original[i] ? 1 : 0;
            statistics[2] += answer.Target[i] == answer.Compressed[i] ? 1 : 0;
        }
    }

    /// <inheritdoc/>
    public override MetricValue Evaluate(ReadOnlySpan<double> sums)
    {
        var (original, compressed) = (sums[1] / sums[0], sums[2] / sums[0]);
        return new(original, compressed, original - compressed);
    }
}
