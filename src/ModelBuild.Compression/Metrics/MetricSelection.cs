using ModelBuild.Compression.Data;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Metrics;

/// <summary>Which metrics are taken on which outputs, and which one decides.</summary>
/// <param name="Deciding">The metric that the budget speaks of.</param>
/// <param name="Outputs">The outputs that it judges, each by itself; the worst counts.</param>
/// <param name="Reported">Further metrics that are only reported, each with the output it is taken on.</param>
/// <param name="Budget">The loss that is accepted.</param>
/// <param name="Why">How the metric was picked, as a sentence for the report.</param>
public sealed record MetricSelection(Metric Deciding, IReadOnlyList<string> Outputs, IReadOnlyList<(Metric Metric, string Output)> Reported, double Budget, string Why)
{
    /// <summary>Label metrics cannot tell 1 % below this many labelled samples.</summary>
    public const int EnoughLabels = 1000;

    /// <summary>Picks the metrics.</summary>
    /// <param name="metric">The item's <c>Metric</c>; <c>auto</c> picks by outputs and data.</param>
    /// <param name="metricOutputs">The item's <c>MetricOutputs</c>; empty for all float outputs.</param>
    /// <param name="maxAccuracyLoss">The item's <c>MaxAccuracyLoss</c>; null for the metric's default.</param>
    /// <param name="graph">The original's graph.</param>
    /// <param name="report">The part of the data that reports, or null without data.</param>
    /// <exception cref="CompressionException">The options do not fit the model or the data (MDLB0011, MDLB0012, MDLB0013).</exception>
    public static MetricSelection Of(string metric, IReadOnlyList<string> metricOutputs, double? maxAccuracyLoss, Graph graph, Dataset? report)
    {
        var floats = graph.Outputs.Where(o => o.Type is { } t && FloatValues.CanRead(t.ElementType)).Select(o => o.Name).ToList();
        foreach (var name in metricOutputs)
            if (!floats.Contains(name))
                throw new CompressionException("MDLB0012", $"MetricOutputs names '{name}', which is no float output of the model{Suggestion.For(name, floats)}; there are {string.Join(", ", floats)}", "MetricOutputs");
        var judged = metricOutputs.Count > 0 ? metricOutputs : floats;
        if (judged.Count == 0)
            throw new CompressionException("MDLB0012", "the model has no float output that could be judged; set Technique=none to ship it as it is", "MetricOutputs");
        var classes = judged.Where(o => ScoresClasses(graph.Outputs.First(v => v.Name == o))).ToList();
        var labelled = report is { HasLabels: true } ? LabelledOutput(judged, report, graph) : null;

        Metric deciding;
        string why;
        var outputs = judged;
        var chosen = metric == "auto" ? null : MetricCatalog.Get(metric);
        if (chosen is { NeedsLabels: true } && labelled is null)
            throw new CompressionException("MDLB0013", $"Metric={metric} needs labels: put an integer array 'labels' into the evaluation data, one class number a sample", "EvaluationData");
        var wantsLabels = chosen is null ? labelled is not null : chosen.NeedsLabels;
        if (wantsLabels)
        {
            outputs = [labelled!];
            deciding = chosen ?? MetricCatalog.Get("top1");
            why = chosen is null ? $"{deciding.Name}: the data has labels that fit the output '{labelled}'" : $"{metric}: as the item says";
            if (report!.Count < EnoughLabels)
            {
                why = $"regret on '{labelled}': {report.Count} labelled samples cannot tell 1 % of {deciding.Name} (fewer than {EnoughLabels}); {deciding.Name} is reported with its interval";
                deciding = MetricCatalog.Get("regret");
            }
        }
        else if (chosen is not null)
        {
            deciding = chosen;
            why = $"{metric}: as the item says";
            if (chosen.NeedsClasses && metricOutputs.Count == 0 && classes.Count > 0)
                outputs = classes;
        }
        else if (classes.Count == judged.Count)
        {
            deciding = MetricCatalog.Get("regret");
            why = "regret: every judged output is a softmax over classes, and there are no labels";
        }
        else
        {
            deciding = MetricCatalog.Get("sqnr");
            why = "sqnr: no labels, and not every judged output scores classes";
        }

        var reported = new List<(Metric, string)>();
        if (labelled is not null)
            foreach (var name in new[] { "top1", "top5" })
                if (deciding.Name != name && (name == "top1" || Classes(graph, labelled) > 10))
                    reported.Add((MetricCatalog.Get(name), labelled));
        foreach (var output in judged)
        {
            if (deciding.Name != "agreement" && (classes.Contains(output) || output == labelled))
                reported.Add((MetricCatalog.Get("agreement"), output));
            if (deciding.Name != "sqnr")
                reported.Add((MetricCatalog.Get("sqnr"), output));
        }
        return new(deciding, outputs, reported, maxAccuracyLoss ?? deciding.DefaultBudget, why);
    }

    /// <summary>Whether an output is a softmax (or its logarithm) over more than one class.</summary>
    private static bool ScoresClasses(Value output)
    {
        var producer = output.Producer;
        // Reshapes behind the softmax keep the classes on the last axis where its size stays.
        while (producer is not null && (producer.Is("Reshape") || producer.Is("Squeeze") || producer.Is("Identity") || producer.Is("Flatten")))
            producer = producer.Inputs[0]?.Producer;
        return producer is not null && (producer.Is("Softmax") || producer.Is("LogSoftmax"))
            && output.Type is { Rank: >= 1 } t && !(t.Shape[^1].IsConstant && t.Shape[^1].Value == 1);
    }

    private static long Classes(Graph graph, string output) =>
        graph.Outputs.First(o => o.Name == output).Type is { Rank: > 0 } t && t.Shape[^1].IsConstant ? t.Shape[^1].Value : 0;

    /// <summary>
    /// The first judged output that the labels can be about: a row of scores for each label, and more classes than the largest label. A recurrent state has rows too,
    /// but not as many.
    /// </summary>
    private static string? LabelledOutput(IReadOnlyList<string> judged, Dataset report, Graph graph)
    {
        long largest = 0;
        Tensor? first = null;
        for (var i = 0; i < Math.Min(report.Count, 64); i++)
            if (report[i].Labels is { } labels)
            {
                first ??= labels;
                foreach (var label in FloatValues.Integers(labels))
                    largest = Math.Max(largest, label);
            }
        return first is null ? null : judged.FirstOrDefault(o => graph.Outputs.First(v => v.Name == o).Type is { Rank: >= 2 } t
            && (!t.Shape[^1].IsConstant || t.Shape[^1].Value > Math.Max(1, largest))
            && HasRowsFor(t, first));
    }

    private static bool HasRowsFor(TensorType scores, Tensor labels)
    {
        if (scores.Rank == labels.Shape.Length + 1 && (!scores.Shape[0].IsConstant || scores.Shape[0].Value == labels.Shape[0]))
            return true;
        long rows = 1;
        for (var i = 0; i < scores.Rank - 1; i++)
        {
            if (!scores.Shape[i].IsConstant && i > 0)
                return false;
            rows *= scores.Shape[i].IsConstant ? scores.Shape[i].Value : labels.Shape.IsEmpty ? 1 : labels.Shape[0];
        }
        return rows == FloatValues.Integers(labels).Length;
    }
}
