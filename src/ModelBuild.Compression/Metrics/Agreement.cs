namespace ModelBuild.Compression.Metrics;

/// <summary>Share of rows in which original and compressed model decide for the same class. The loss is the share of changed decisions.</summary>
public sealed class Agreement : Metric
{
    /// <inheritdoc/>
    public override string Name => "agreement";

    /// <inheritdoc/>
    public override double DefaultBudget => 0.02;

    /// <inheritdoc/>
    public override bool NeedsClasses => true;

    /// <inheritdoc/>
    public override int StatisticCount => 2;

    /// <inheritdoc/>
    public override void Measure(ReadOnlySpan<float> reference, ReadOnlySpan<float> candidate, OutputShape shape, ReadOnlySpan<long> labels, Span<double> statistics)
    {
        statistics.Clear();
        for (var row = 0; row < shape.Rows; row++)
        {
            if (row < labels.Length && labels[row] < 0)
                continue;
            statistics[0]++;
            if (ClassScores.ArgMax(reference.Slice(row * shape.Classes, shape.Classes)) != ClassScores.ArgMax(candidate.Slice(row * shape.Classes, shape.Classes)))
                statistics[1]++;
        }
    }

    /// <inheritdoc/>
    public override MetricValue Evaluate(ReadOnlySpan<double> sums)
    {
        var changed = sums[0] == 0 ? 0 : sums[1] / sums[0];
        return new(1, 1 - changed, changed);
    }
}
