using System.Globalization;
using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Metrics;

/// <summary>
/// Whether the original answers the data better than a model that always says the same. Where it does not, labels and expected values prove nothing about
/// compression: they may be shifted, shuffled, or of other data, and the decision rests on the original's own answers.
/// </summary>
public static class TruthCheck
{
    /// <summary>Compares the original with constant answers.</summary>
    /// <param name="selection">The metrics as picked by what the data knows.</param>
    /// <param name="answers">The original's answers.</param>
    /// <param name="truth">What the data knows.</param>
    /// <returns>What can be relied on, and warnings about the rest.</returns>
    public static (KnownTruth Truth, IReadOnlyList<Finding> Findings) Run(MetricSelection selection, ReferenceAnswers answers, KnownTruth truth)
    {
        var findings = new List<Finding>();
        if (AgainstLabels(selection, answers, truth) is { } labels)
        {
            truth = truth with { DistrustsLabels = true };
            findings.Add(labels);
        }
        foreach (var output in selection.Against)
        {
            var doubt = selection.ReadingOf(output).Meaning switch
            {
                OutputMeaning.Values => AgainstValues(selection, answers, output, truth.Metadata),
                OutputMeaning.Classes => AgainstClasses(answers, output, truth.Metadata),
                _ => null,
            };
            if (doubt is null)
                continue;
            truth = truth with { Expected = truth.Expected.Where(o => o != output).ToHashSet(StringComparer.Ordinal) };
            findings.Add(doubt);
        }
        return (truth, findings);
    }

    private static Finding? AgainstLabels(MetricSelection selection, ReferenceAnswers answers, KnownTruth truth)
    {
        if (selection.Labelled is not { } output || selection.Reported.Prepend((selection.Deciding, output)).Select(r => r.Item1)
            .FirstOrDefault(m => m.NeedsLabels) is not { } metric || metric is CharacterErrorRate)
            return null;
        var reading = selection.ReadingOf(output);
        var label = truth.Labels?.Commonest ?? Commonest(reading, answers, output);
        if (Take(metric, selection, answers, output, like => Always(label, like, reading)) is not { } value || value.Original > value.Compressed)
            return null;
        return new(Severity.Warning, Codes.LabelsSayNothing, string.Create(CultureInfo.InvariantCulture,
            $"the original reaches {metric.Name} {value.Original:0.####} on the labels, and always answering {label} reaches {value.Compressed:0.####}: "
                + $"these labels say nothing about the model (one class alone, classes counted otherwise, or inputs scaled otherwise than the model was "
                + $"trained). The decision rests on {(selection.Deciding.NeedsLabels ? "regret" : selection.Deciding.Name)}"), truth.Metadata);
    }

    private static Finding? AgainstValues(MetricSelection selection, ReferenceAnswers answers, string output, string metadata)
    {
        var rmse = new Rmse();
        // In units of the spread of the expected values: always answering their mean is off by 1.
        if (Take(rmse, selection, answers, output, static like => like) is not { } value || value.Original < 1)
            return null;
        return new(Severity.Warning, Codes.LabelsSayNothing, string.Create(CultureInfo.InvariantCulture,
            $"the original is off the expected values '{output}' by {value.Original:0.##} of their standard deviation, and always answering their mean is "
                + $"off by 1: they say nothing about the model. '{output}' is compared with the original's own answers"), metadata);
    }

    private static Finding? AgainstClasses(ReferenceAnswers answers, string output, string metadata)
    {
        var classes = new ClassNumbers();
        var counts = new Dictionary<float, long>();
        long right = 0, all = 0;
        for (var i = 0; i < answers.Data.Count; i++)
        {
            var known = answers.Get(i);
            foreach (var (expected, original) in classes.Of(known.Expected[output]).Zip(classes.Of(known.Outputs[output])))
            {
                counts[expected] = counts.GetValueOrDefault(expected) + 1;
                right += expected == original ? 1 : 0;
                all++;
            }
        }
        if (all == 0 || right > counts.Values.Max())
            return null;
        return new(Severity.Warning, Codes.LabelsSayNothing, string.Create(CultureInfo.InvariantCulture,
            $"the original agrees with the expected values '{output}' in {right} of {all} cases, and always answering the commonest one in "
                + $"{counts.Values.Max()}: they say nothing about the model. '{output}' is compared with the original's own answers"), metadata);
    }

    private static MetricValue? Take(Metric metric, MetricSelection selection, ReferenceAnswers answers, string output, Func<Tensor, Tensor> answer)
    {
        var sums = new double[metric.StatisticCount];
        var statistics = new double[metric.StatisticCount];
        var classes = new ClassNumbers();
        for (var i = 0; i < answers.Data.Count; i++)
        {
            Array.Clear(statistics);
            var known = answers.Get(i);
            Evaluation.Measure(metric, selection, known, output, answer(known.Outputs[output]), classes, statistics);
            for (var s = 0; s < sums.Length; s++)
                sums[s] += statistics[s];
        }
        return metric.Counted(sums) == 0 ? null : metric.Evaluate(sums);
    }

    private static long Commonest(OutputReading reading, ReferenceAnswers answers, string output) =>
        Enumerable.Range(0, answers.Data.Count).Select(i => answers.Get(i))
            .SelectMany(known => reading.ClassesOf(known.Expected[output].Reshape(known.Outputs[output].Shape.AsSpan())))
            .CountBy(c => c).OrderByDescending(c => c.Value).ThenBy(c => c.Key).First().Key;

    /// <summary>An output that says the same class everywhere, in the shape of the original's.</summary>
    private static Tensor Always(long label, Tensor like, OutputReading reading)
    {
        var values = new float[like.Length];
        var axis = reading.Axis < 0 ? like.Rank - 1 : reading.Axis;
        var inner = reading.Meaning == OutputMeaning.Probability ? 1 : (int)like.Shape.Skip(axis + 1).Aggregate(1L, static (a, b) => a * b);
        for (var i = 0; i < values.Length; i++)
            values[i] = (reading.Meaning == OutputMeaning.Probability ? label == 1 : i / inner % like.Shape[axis] == label) ? 1 : 0;
        return Tensor.Of(values, like.Shape.AsSpan());
    }
}
