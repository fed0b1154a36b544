namespace ModelBuild.Compression.Metrics;

/// <summary>
/// Share of labelled rows whose label is among the k highest scores. The loss is original minus compressed, as a fraction of the original.
/// Among equal scores the lower class counts as higher, as arg max does.
/// </summary>
public sealed class TopK(int k) : Metric
{
    /// <inheritdoc/>
    public override string Name => $"top{k}";

    /// <inheritdoc/>
    public override double DefaultBudget => 0.01;

    /// <inheritdoc/>
    public override bool NeedsLabels => true;

    /// <inheritdoc/>
    public override bool NeedsClasses => true;

    /// <inheritdoc/>
    public override int StatisticCount => 3;

    /// <inheritdoc/>
    public override void Measure(in JudgedAnswer answer, Span<double> statistics)
    {
        for (var row = 0; row < Math.Min(answer.Shape.Rows, answer.Labels.Length); row++)
        {
            var label = answer.Labels[row];
            if (label < 0 || label >= answer.Shape.Classes)
                continue;
            statistics[0]++;
            statistics[1] += Hit(answer.OriginalRow(row), (int)label) ? 1 : 0;
            statistics[2] += Hit(answer.CompressedRow(row), (int)label) ? 1 : 0;
        }
    }

    private bool Hit(ReadOnlySpan<float> scores, int label)
    {
        var own = scores[label];
        if (float.IsNaN(own))
            return false;
        var above = 0;
        for (var i = 0; i < scores.Length; i++)
            if (scores[i] > own || scores[i] == own && i < label)
                above++;
        return above < k;
    }

    /// <inheritdoc/>
    public override MetricValue Evaluate(ReadOnlySpan<double> sums)
    {
        var (original, compressed) = (sums[1] / sums[0], sums[2] / sums[0]);
        // An original that is always wrong has nothing to lose by this measure; the decision does not rest on it (TruthCheck).
        return new(original, compressed, original == 0 ? 0 : (original - compressed) / original);
    }
}
