namespace ModelBuild.Compression.Metrics;

/// <summary>
/// Character error rate of an output that is read by connectionist temporal classification: the best class at each step, repetitions once, class 0 (blank) left
/// out (Graves et al., Connectionist Temporal Classification, 2006). Edits between the text and the labels, over the number of labels. The loss is compressed
/// minus original, in absolute points.
/// </summary>
public sealed class CharacterErrorRate : Metric
{
    /// <inheritdoc/>
    public override string Name => "cer";

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
        // Without labels there is no text, which is not the empty one.
        if (answer.Labels.IsEmpty)
            return;
        var text = answer.Labels.ToArray().Where(l => l >= 0).ToArray();
        statistics[0] = text.Length;
        statistics[1] = Edits(text, Read(answer.Original, answer.Shape));
        statistics[2] = Edits(text, Read(answer.Compressed, answer.Shape));
    }

    private static List<long> Read(ReadOnlySpan<float> scores, OutputShape shape)
    {
        var text = new List<long>();
        var before = 0;
        for (var step = 0; step < shape.Rows; step++)
        {
            var best = ClassScores.ArgMax(scores.Slice(step * shape.Classes, shape.Classes));
            if (best != before && best != 0)
                text.Add(best);
            before = best;
        }
        return text;
    }

    /// <summary>Insertions, deletions and substitutions (Levenshtein, 1966).</summary>
    private static int Edits(long[] a, List<long> b)
    {
        var row = Enumerable.Range(0, b.Count + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Count; j++)
                (row[j], diagonal) = (Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)), row[j]);
        }
        return row[^1];
    }

    /// <inheritdoc/>
    public override MetricValue Evaluate(ReadOnlySpan<double> sums)
    {
        var (original, compressed) = (sums[1] / sums[0], sums[2] / sums[0]);
        return new(original, compressed, compressed - original);
    }
}
