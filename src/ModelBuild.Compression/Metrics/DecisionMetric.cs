namespace ModelBuild.Compression.Metrics;

/// <summary>
/// A metric of decisions for a class: what each row costs in which the compressed model decides otherwise, averaged over all rows. Rows whose label is negative
/// (padding) do not count.
/// </summary>
public abstract class DecisionMetric : Metric
{
    /// <inheritdoc/>
    public override bool NeedsClasses => true;

    /// <inheritdoc/>
    public override int StatisticCount => 2;

    /// <summary>What one changed decision costs, 0 to 1.</summary>
    /// <param name="scores">The original's scores of the row.</param>
    /// <param name="original">The class that the original takes.</param>
    /// <param name="compressed">The class that the compressed model takes; -1 where its scores are not numbers.</param>
    protected abstract double CostOf(ReadOnlySpan<float> scores, int original, int compressed);

    /// <summary>The metric's value from the mean cost.</summary>
    protected abstract MetricValue ValueOf(double cost);

    /// <inheritdoc/>
    public sealed override void Measure(in JudgedAnswer answer, Span<double> statistics)
    {
        for (var row = 0; row < answer.Shape.Rows; row++)
        {
            if (row < answer.Labels.Length && answer.Labels[row] < 0)
                continue;
            var scores = answer.OriginalRow(row);
            var original = ClassScores.ArgMax(scores);
            // No decision of the original: nothing to compare with.
            if (original < 0)
                continue;
            var compressed = ClassScores.ArgMax(answer.CompressedRow(row));
            statistics[0]++;
            if (compressed != original)
                statistics[1] += CostOf(scores, original, compressed);
        }
    }

    /// <inheritdoc/>
    public sealed override MetricValue Evaluate(ReadOnlySpan<double> sums) => ValueOf(sums[1] / sums[0]);
}
