namespace ModelBuild.Compression.Metrics;

/// <summary>
/// Mean over samples of the cosine between the candidate's output and what it should be: the original's, or expected values where the data has them. The loss
/// is by how much it is lower than the original's.
/// </summary>
public sealed class Cosine : Metric
{
    /// <inheritdoc/>
    public override string Name => "cosine";

    /// <inheritdoc/>
    public override double DefaultBudget => 0.005;

    /// <inheritdoc/>
    public override int StatisticCount => 3;

    /// <inheritdoc/>
    public override void Measure(in JudgedAnswer answer, Span<double> statistics)
    {
        // Directions of vectors that are not all numbers tell nothing.
        var isNumber = true;
        foreach (var v in answer.Target)
            isNumber &= float.IsFinite(v);
        foreach (var v in answer.Original)
            isNumber &= float.IsFinite(v);
        if (!isNumber)
            return;
        statistics[0] = 1;
        statistics[1] = Of(answer.Target, answer.Original);
        statistics[2] = Of(answer.Target, answer.Compressed);
    }

    private static double Of(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        double dot = 0, a = 0, b = 0;
        for (var i = 0; i < x.Length; i++)
        {
            dot += (double)x[i] * y[i];
            a += (double)x[i] * x[i];
            b += (double)y[i] * y[i];
        }
        // Two zero vectors are equal; a zero vector has nothing in common with another.
        return a == 0 && b == 0 ? 1 : a == 0 || b == 0 || !double.IsFinite(dot) || !double.IsFinite(b) ? 0 : dot / Math.Sqrt(a * b);
    }

    /// <inheritdoc/>
    public override MetricValue Evaluate(ReadOnlySpan<double> sums)
    {
        var (original, compressed) = (sums[1] / sums[0], sums[2] / sums[0]);
        return new(original, compressed, original - compressed);
    }
}
