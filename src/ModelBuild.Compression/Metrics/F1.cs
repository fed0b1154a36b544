namespace ModelBuild.Compression.Metrics;

/// <summary>
/// F1 of the labelled rows: the harmonic mean of precision and recall. Of two classes that of class 1, of more the mean over all classes that occur (macro
/// average). The loss is original minus compressed, as a fraction of the original.
/// </summary>
/// <param name="classes">How many classes the judged output scores; 0 where that is not known yet.</param>
public sealed class F1(int classes = 0) : Metric
{
    // Per class: labels, the original's hits and answers, the candidate's hits and answers.
    private const int Counts = 5;

    /// <inheritdoc/>
    public override string Name => "f1";

    /// <inheritdoc/>
    public override double DefaultBudget => 0.01;

    /// <inheritdoc/>
    public override bool NeedsLabels => true;

    /// <inheritdoc/>
    public override bool NeedsClasses => true;

    /// <inheritdoc/>
    public override int StatisticCount => Counts * classes;

    /// <inheritdoc/>
    public override Metric Of(int classes) => new F1(classes);

    /// <inheritdoc/>
    public override void Measure(in JudgedAnswer answer, Span<double> statistics)
    {
        for (var row = 0; row < Math.Min(answer.Shape.Rows, answer.Labels.Length); row++)
        {
            var label = answer.Labels[row];
            if (label < 0 || label >= classes)
                continue;
            statistics[(int)label * Counts]++;
            Answer(ClassScores.ArgMax(answer.OriginalRow(row)), label, statistics, 1);
            Answer(ClassScores.ArgMax(answer.CompressedRow(row)), label, statistics, 3);
        }
    }

    /// <inheritdoc/>
    public override double Counted(ReadOnlySpan<double> sums)
    {
        double labels = 0;
        for (var c = 0; c < classes; c++)
            labels += sums[c * Counts];
        return labels;
    }

    private static void Answer(int answer, long label, Span<double> statistics, int offset)
    {
        if (answer < 0)
            return;
        statistics[answer * Counts + offset + 1]++;
        if (answer == label)
            statistics[answer * Counts + offset]++;
    }

    /// <inheritdoc/>
    public override MetricValue Evaluate(ReadOnlySpan<double> sums)
    {
        var (original, compressed) = (Mean(sums, 1), Mean(sums, 3));
        return new(original, compressed, original == 0 ? 0 : (original - compressed) / original);
    }

    private double Mean(ReadOnlySpan<double> sums, int offset)
    {
        double sum = 0;
        var occurring = 0;
        for (var c = classes == 2 ? 1 : 0; c < classes; c++)
        {
            var (labels, hits, answers) = (sums[c * Counts], sums[c * Counts + offset], sums[c * Counts + offset + 1]);
            if (labels + answers == 0)
                continue;
            occurring++;
            sum += 2 * hits / (labels + answers);
        }
        return occurring == 0 ? 0 : sum / occurring;
    }
}
