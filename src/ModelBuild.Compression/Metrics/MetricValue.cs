namespace ModelBuild.Compression.Metrics;

/// <summary>Values of a metric.</summary>
/// <param name="Original">The original's value, where it has one by itself (labels, expected values); else the value of a perfect copy.</param>
/// <param name="Compressed">The candidate's value.</param>
/// <param name="Loss">The loss that budgets speak of: 0 for a perfect copy, larger is worse, may be negative.</param>
public readonly record struct MetricValue(double Original, double Compressed, double Loss);
