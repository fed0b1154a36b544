namespace ModelBuild.Compression.Metrics;

/// <summary>Mean over samples of the cosine between the original's output and the compressed model's. The loss is 1 minus it.</summary>
public sealed class Cosine : Metric
{
    /// <inheritdoc/>
    public override string Name => "cosine";

    /// <inheritdoc/>
    public override double DefaultBudget => 0.005;

    /// <inheritdoc/>
    public override int StatisticCount => 2;

    /// <inheritdoc/>
    public override void Measure(ReadOnlySpan<float> reference, ReadOnlySpan<float> candidate, OutputShape shape, ReadOnlySpan<long> labels, Span<double> statistics)
    {
        double dot = 0, a = 0, b = 0;
        for (var i = 0; i < reference.Length; i++)
        {
            dot += (double)reference[i] * candidate[i];
            a += (double)reference[i] * reference[i];
            b += (double)candidate[i] * candidate[i];
        }
        statistics[0] = 1;
        // Two zero vectors are equal; a zero vector has nothing in common with another.
        statistics[1] = a == 0 && b == 0 ? 1 : a == 0 || b == 0 || !double.IsFinite(dot) || !double.IsFinite(b) ? 0 : dot / Math.Sqrt(a * b);
    }

    /// <inheritdoc/>
    public override MetricValue Evaluate(ReadOnlySpan<double> sums)
    {
        var cosine = sums[0] == 0 ? 1 : sums[1] / sums[0];
        return new(1, cosine, 1 - cosine);
    }
}
