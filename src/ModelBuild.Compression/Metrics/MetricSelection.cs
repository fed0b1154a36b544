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

    /// <summary>Outputs that give one probability a row, of class 1 against class 0; where classes are judged they count as scores of both.</summary>
    public IReadOnlySet<string> Probabilities { get; init; } = new HashSet<string>();

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
        Value Output(string name) => graph.Outputs.First(o => o.Name == name);
        TensorType? Type(string name) => Output(name).Type;
        var classes = judged.Where(o => ScoresClasses(Output(o))).ToList();
        var (labelled, binary) = report is { HasLabels: true } ? LabelledOutput(judged, report, graph) : (null, false);
        int Classes() => binary ? 2 : Type(labelled!) is { Rank: > 0 } t && t.Shape[^1].IsConstant ? (int)t.Shape[^1].Value : 0;

        Metric deciding;
        string why;
        var outputs = judged;
        var reported = new List<(Metric Metric, string Output)>();
        var chosen = metric == "auto" ? null : MetricCatalog.Get(metric);
        if (chosen is { NeedsLabels: true } && labelled is null && report is { HasLabels: true })
            throw new CompressionException("MDLB0013", $"Metric={metric}: the labels are about none of the judged outputs ({string.Join(", ", judged.Select(o => $"'{o}' {Type(o)}"))}): "
                + "an output needs a row of class scores, or a probability by Sigmoid, for each label, and more classes than the largest label. MetricOutputs names the output to judge", "Metric");
        if (chosen is { NeedsLabels: true } && labelled is null)
            throw new CompressionException("MDLB0013", $"Metric={metric} needs labels: put an integer array 'labels' into the evaluation data, one class number a sample", "EvaluationData");
        var wantsLabels = chosen is null ? labelled is not null : chosen.NeedsLabels;
        if (wantsLabels)
        {
            outputs = [labelled!];
            deciding = chosen ?? MetricCatalog.Get("top1");
            if (deciding.Of(Classes()) is { StatisticCount: > 0 } ofClasses)
                deciding = ofClasses;
            else
                throw new CompressionException("MDLB0013", $"Metric={metric} needs an output whose number of classes is fixed; '{labelled}' is {Type(labelled!)}", "Metric");
            why = chosen is null ? $"{deciding.Name}: the data has labels that fit the output '{labelled}'" : $"{metric}: as the item says";
            if (report!.Count < EnoughLabels)
            {
                why = $"regret on '{labelled}': {report.Count} labelled samples cannot tell 1 % of {deciding.Name} (fewer than {EnoughLabels}); {deciding.Name} is reported with its interval";
                if (chosen is not null)
                    reported.Add((deciding, labelled!));
                deciding = MetricCatalog.Get("regret");
            }
        }
        else if (chosen is not null)
        {
            deciding = chosen;
            why = $"{metric}: as the item says";
            if (chosen.NeedsClasses && metricOutputs.Count == 0 && classes.Count > 0)
                outputs = classes;
            if (chosen.NeedsClasses && outputs.FirstOrDefault(o => Type(o) is { Rank: > 0 } t && t.Shape[^1] is { IsConstant: true, Value: 1 } && !IsSigmoid(Output(o))) is { } single)
                throw new CompressionException("MDLB0012", $"Metric={metric} compares classes, and '{single}' {Type(single)} has one value a row; name other outputs by MetricOutputs, or take Metric=sqnr", "MetricOutputs");
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

        // Labels that spell a text are no classes of rows.
        if (labelled is not null && chosen is not CharacterErrorRate)
            foreach (var name in new[] { "top1", "top5" })
                if (deciding.Name != name && reported.All(r => r.Metric.Name != name) && (name == "top1" || Classes() > 10))
                    reported.Add((MetricCatalog.Get(name), labelled));
        foreach (var output in judged)
        {
            if (deciding.Name != "agreement" && (classes.Contains(output) || output == labelled))
                reported.Add((MetricCatalog.Get("agreement"), output));
            if (deciding.Name != "sqnr")
                reported.Add((MetricCatalog.Get("sqnr"), output));
        }
        return new(deciding, outputs, reported, maxAccuracyLoss ?? deciding.DefaultBudget, why)
        {
            Probabilities = judged.Where(o => o == labelled ? binary : Type(o) is { Rank: > 0 } t && t.Shape[^1] is { IsConstant: true, Value: 1 } && IsSigmoid(Output(o))).ToHashSet(StringComparer.Ordinal),
        };
    }

    /// <summary>Whether an output is a softmax (or its logarithm) over more than one class.</summary>
    private static bool ScoresClasses(Value output)
    {
        // Reshapes behind the softmax keep the classes on the last axis where its size stays.
        var producer = Source(output);
        return producer is not null && (producer.Is("Softmax") || producer.Is("LogSoftmax"))
            && output.Type is { Rank: >= 1 } t && !(t.Shape[^1].IsConstant && t.Shape[^1].Value == 1);
    }

    private static bool IsSigmoid(Value output) => Source(output)?.Is("Sigmoid") == true;

    /// <summary>What computed an output, before it was reshaped.</summary>
    private static Node? Source(Value output)
    {
        var producer = output.Producer;
        while (producer is not null && (producer.Is("Reshape") || producer.Is("Squeeze") || producer.Is("Identity") || producer.Is("Flatten")))
            producer = producer.Inputs[0]?.Producer;
        return producer;
    }

    /// <summary>
    /// The first judged output that the labels can be about: a row of scores for each label, and more classes than the largest label. A recurrent state has rows too,
    /// but not as many. Binary: a probability for each label, that it is 1.
    /// </summary>
    private static (string? Output, bool Binary) LabelledOutput(IReadOnlyList<string> judged, Dataset report, Graph graph)
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
        if (first is null)
            return (null, false);
        foreach (var name in judged)
        {
            var output = graph.Outputs.First(v => v.Name == name);
            if (output.Type is not { HasRank: true, Rank: >= 1 } type)
                continue;
            if (largest <= 1 && IsSigmoid(output) && (type.Rank == first.Rank || type.Shape[^1] is { IsConstant: true, Value: 1 } && HasRowsFor(type, first)))
                return (name, true);
            if (type.Rank >= 2 && (!type.Shape[^1].IsConstant || type.Shape[^1].Value > Math.Max(1, largest)) && HasRowsFor(type, first))
                return (name, false);
        }
        return (null, false);
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
