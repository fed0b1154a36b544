namespace ModelBuild.Compression.Metrics;

/// <summary>
/// Expected loss of accuracy if the original's own probabilities are right: mean of p(original's class) - p(compressed model's class), both under the
/// original's probabilities. A flipped near tie costs nearly nothing, so that no labels and few samples are needed.
/// </summary>
public sealed class Regret : Metric
{
    /// <inheritdoc/>
    public override string Name => "regret";

    /// <inheritdoc/>
    public override double DefaultBudget => 0.01;

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
            // Rows whose label says that they mean nothing (padding) do not count.
            if (row < labels.Length && labels[row] < 0)
                continue;
            var scores = reference.Slice(row * shape.Classes, shape.Classes);
            var right = ClassScores.ArgMax(scores);
            var taken = ClassScores.ArgMax(candidate.Slice(row * shape.Classes, shape.Classes));
            statistics[0]++;
            if (taken < 0)
                statistics[1] += 1;
            else if (taken != right && right >= 0)
                statistics[1] += ClassScores.ProbabilityDifference(scores, right, taken);
        }
    }

    /// <inheritdoc/>
    public override MetricValue Evaluate(ReadOnlySpan<double> sums)
    {
        var regret = sums[0] == 0 ? 0 : sums[1] / sums[0];
        return new(0, regret, regret);
    }
}
