namespace ModelBuild.Compression.Metrics;

/// <summary>
/// Expected loss of accuracy if the original's own probabilities are right: mean of p(original's class) - p(compressed model's class), both under the
/// original's probabilities. A flipped near tie costs nearly nothing, so that no labels and few samples are needed.
/// </summary>
public sealed class Regret : DecisionMetric
{
    /// <inheritdoc/>
    public override string Name => "regret";

    /// <inheritdoc/>
    public override double DefaultBudget => 0.01;

    /// <inheritdoc/>
    protected override double CostOf(ReadOnlySpan<float> scores, int original, int compressed) =>
        compressed < 0 ? 1 : ClassScores.ProbabilityDifference(scores, original, compressed);

    /// <inheritdoc/>
    protected override MetricValue ValueOf(double cost) => new(0, cost, cost);
}
