namespace ModelBuild.Compression.Metrics;

/// <summary>Share of rows in which original and compressed model decide for the same class. The loss is the share of changed decisions.</summary>
public sealed class Agreement : DecisionMetric
{
    /// <inheritdoc/>
    public override string Name => "agreement";

    /// <inheritdoc/>
    public override double DefaultBudget => 0.02;

    /// <inheritdoc/>
    protected override double CostOf(ReadOnlySpan<float> scores, int original, int compressed) => 1;

    /// <inheritdoc/>
    protected override MetricValue ValueOf(double cost) => new(1, 1 - cost, cost);
}
