using System.Collections.Frozen;
using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Metrics;

/// <summary>Which metrics are taken on which outputs, and which one decides.</summary>
/// <param name="Deciding">The metric that the budget speaks of.</param>
/// <param name="Outputs">The outputs that it judges, each by itself; the worst counts.</param>
/// <param name="Reported">Further metrics that are only reported, each with the output it is taken on.</param>
/// <param name="Budget">The loss that is accepted.</param>
/// <param name="Why">How the metric was picked, as a sentence for the report.</param>
public sealed record MetricSelection(Metric Deciding, IReadOnlyList<string> Outputs, IReadOnlyList<(Metric Metric, string Output)> Reported, double Budget,
    string Why)
{
    /// <summary>Label metrics cannot tell 1 % below this many labelled samples.</summary>
    public const int EnoughLabels = 1000;

    private static readonly OutputReading Plain = new(OutputMeaning.Values);

    /// <summary>How outputs are read; those that are missing hold values.</summary>
    public IReadOnlyDictionary<string, OutputReading> Readings { get; init; } = FrozenDictionary<string, OutputReading>.Empty;

    /// <summary>Outputs that are compared exactly: integers, truth values and strings that are no classes.</summary>
    public IReadOnlyList<string> Exact { get; init; } = [];

    /// <summary>Outputs that are compared with expected values of the data; the others with the original's own answers.</summary>
    public IReadOnlySet<string> Against { get; init; } = FrozenSet<string>.Empty;

    /// <summary>The output that the labels are about, or null.</summary>
    public string? Labelled { get; init; }

    /// <summary>What the user should know about how the metric was picked.</summary>
    public IReadOnlyList<Finding> Findings { get; init; } = [];

    /// <summary>All outputs that take part.</summary>
    public IReadOnlySet<string> Judged => Outputs.Concat(Reported.Select(r => r.Output)).Concat(Exact).ToHashSet(StringComparer.Ordinal);

    /// <summary>How an output is read.</summary>
    public OutputReading ReadingOf(string output) => Readings.GetValueOrDefault(output, Plain);

    /// <summary>The outputs that can be judged: tensors, those that the user names or all.</summary>
    /// <exception cref="CompressionException">MDLB0012: the user names one that the model does not have.</exception>
    public static IReadOnlyList<Value> Judgeable(IReadOnlyList<string> metricOutputs, Graph graph)
    {
        var tensors = graph.Outputs.Where(o => o.Type is not null).DistinctBy(o => o.Name).ToList();
        var names = tensors.Select(o => o.Name).ToList();
        foreach (var name in metricOutputs)
            if (!names.Contains(name))
                throw new CompressionException(Codes.NothingToJudge,
                    $"MetricOutputs names '{name}', which is no output of the model{Suggestion.For(name, names)}; there are {string.Join(", ", names)}",
                    "MetricOutputs");
        return metricOutputs.Count == 0 ? tensors : [.. metricOutputs.Distinct(StringComparer.Ordinal).Select(n => tensors.First(o => o.Name == n))];
    }

    /// <summary>Picks the metrics.</summary>
    /// <param name="metric">The item's <c>Metric</c>; <c>auto</c> picks by outputs and data.</param>
    /// <param name="metricOutputs">The item's <c>MetricOutputs</c>; empty for all outputs.</param>
    /// <param name="maxAccuracyLoss">The item's <c>MaxAccuracyLoss</c>; null for the metric's default.</param>
    /// <param name="graph">The original's graph.</param>
    /// <param name="truth">What the data knows about the answers, or null without data.</param>
    /// <exception cref="CompressionException">The options do not fit the model or the data (MDLB0011, MDLB0012, MDLB0013, MDLB1130).</exception>
    public static MetricSelection Of(string metric, IReadOnlyList<string> metricOutputs, double? maxAccuracyLoss, Graph graph, KnownTruth? truth)
    {
        var chosen = metric == "auto" ? null : MetricCatalog.Get(metric);
        var judged = Judgeable(metricOutputs, graph);
        var readings = judged.ToDictionary(o => o.Name, OutputReading.Of, StringComparer.Ordinal);
        var floats = judged.Where(o => FloatValues.CanRead(o.Type!.ElementType)).ToList();
        var decisions = judged.Where(o => readings[o.Name].Meaning == OutputMeaning.Classes).Select(o => o.Name).ToList();
        var exact = judged.Where(o => readings[o.Name].Meaning == OutputMeaning.Exact).Select(o => o.Name).ToList();
        if (judged.Count == 0)
            throw new CompressionException(Codes.NothingToJudge,
                "the model has no output that is a tensor and could be judged; set Technique=none to ship it as it is", "MetricOutputs");
        if (floats.Count == 0)
            return OfDecisions(chosen, decisions, exact, maxAccuracyLoss, readings, truth);

        var findings = new List<Finding>();
        var labelled = FindLabelled(floats, truth, readings, findings);
        if (labelled is { } l)
            readings[l.Output] = l.Reading;
        if (chosen is { NeedsLabels: true } && labelled is null)
            throw new CompressionException(Codes.MetricNeedsLabels, truth?.Labels is null
                ? $"Metric={metric} needs labels: put an integer array 'labels' into the evaluation data, one class number a sample"
                : $"Metric={metric}: the labels are about none of the judged outputs ({string.Join(", ", floats.Select(o => $"'{o.Name}' {o.Type}"))}): "
                    + "an output needs a row of class scores, or a probability by Sigmoid, for each label, and more classes than the largest label. "
                        + "MetricOutputs names the output to judge",
                truth?.Labels is null ? "EvaluationData" : "Metric");

        var names = floats.Select(o => o.Name).ToList();
        var scores = names.Where(n => readings[n].Meaning == OutputMeaning.Scores).ToList();
        var (deciding, outputs, why) = Decide(metric, chosen, metricOutputs.Count > 0, floats, scores, labelled?.Output, truth, readings);
        var reported = new List<(Metric Metric, string Output)>();
        if (labelled is { } about)
        {
            if (chosen is { NeedsLabels: true } && deciding.Name != chosen.Name)
                reported.Add((OfClasses(chosen, about.Output, floats, readings), about.Output));
            // Labels that spell a text are no classes of rows.
            if (chosen is not CharacterErrorRate)
                foreach (var name in new[] { "top1", "top5" })
                    if (deciding.Name != name && reported.All(r => r.Metric.Name != name) && (name == "top1" || Classes(about.Output, floats, readings) > 10))
                        reported.Add((MetricCatalog.Get(name), about.Output));
        }
        foreach (var name in names)
        {
            if (deciding.Name != "agreement" && (scores.Contains(name) || name == labelled?.Output))
                reported.Add((MetricCatalog.Get("agreement"), name));
            if (deciding.Name != Sqnr.MetricName)
                reported.Add((MetricCatalog.Get(Sqnr.MetricName), name));
        }
        reported.AddRange(decisions.Select(name => ((Metric)new LabelAgreement(), name)));
        return new(deciding, outputs, reported, maxAccuracyLoss ?? deciding.DefaultBudget, why)
        {
            Readings = readings,
            Exact = exact,
            Labelled = labelled?.Output,
            Against = truth?.Expected.Intersect(readings.Keys).ToFrozenSet(StringComparer.Ordinal) ?? [],
            Findings = findings,
        };
    }

    /// <summary>Of a model without float outputs: decisions by their agreement; what means itself is compared exactly besides.</summary>
    private static MetricSelection OfDecisions(Metric? chosen, List<string> decisions, List<string> exact, double? budget, Dictionary<string,
        OutputReading> readings, KnownTruth? truth)
    {
        var agreement = new LabelAgreement();
        if (chosen is not null && chosen.Name != agreement.Name)
            throw new CompressionException(Codes.NothingToJudge,
                $"Metric={chosen.Name} needs an output of floats, and the judged outputs ({string.Join(", ", readings.Keys)}) are none; they are judged by "
                + $"Metric=agreement", "Metric");
        return new(agreement, decisions.Count > 0 ? decisions : exact, [], budget ?? agreement.DefaultBudget,
            decisions.Count > 0 ? "agreement: the outputs are decisions" : "agreement: the outputs are no floats, and are compared exactly")
        {
            Readings = readings,
            Exact = exact,
            Against = truth?.Expected.Intersect(readings.Keys).ToFrozenSet(StringComparer.Ordinal) ?? [],
            Findings = truth?.Labels is null ? []
                : [new(Severity.Message, Codes.ArrayUnused,
                "the labels are not used: the model's outputs are decisions, which are compared with the original's. To compare with the truth, put it into "
                + "an array of the output's name", truth.Metadata)],
        };
    }

    /// <summary>The output that labels, or else expected values, are about.</summary>
    private static (string Output, OutputReading Reading)? FindLabelled(List<Value> floats, KnownTruth? truth, Dictionary<string, OutputReading> readings,
        List<Finding> findings)
    {
        if (truth?.Labels is { } labels)
        {
            if (labels.Counted == 0)
                throw new CompressionException(Codes.NoLabelCounts,
                    "no label counts: 'labels' is empty, or every one that is held out to judge by is negative, which means that there is none. Write class "
                    + "numbers, 0 for the first class, or leave 'labels' out", truth.Metadata);
            if (LabelFit.Find(floats, labels) is { } found)
                return found;
            findings.Add(new(Severity.Warning, Codes.ArrayUnused,
                $"the labels (largest {labels.Largest}, {string.Join('x', labels.Shape)} a sample) are not used: they fit none of "
                + $"{string.Join(", ", floats.Select(o => $"'{o.Name}' {o.Type}"))}. "
                + "An output needs a row of class scores, or a probability by Sigmoid, for each label, and more classes than the largest label; classes "
                    + "count from 0", truth.Metadata));
        }
        // The class of expected values is where they are largest.
        return truth is not null && floats.FirstOrDefault(o => truth.Expected.Contains(o.Name) && readings[o.Name].Meaning is OutputMeaning.Scores
            or OutputMeaning.Probability) is { } expected
            ? (expected.Name, readings[expected.Name]) : null;
    }

    private static (Metric Deciding, IReadOnlyList<string> Outputs, string Why) Decide(string metric, Metric? chosen, bool namesOutputs, List<Value> floats,
        List<string> scores, string? labelled, KnownTruth? truth, Dictionary<string, OutputReading> readings)
    {
        var names = floats.Select(o => o.Name).ToList();
        if (chosen is { NeedsLabels: true } || chosen is null && labelled is not null)
        {
            var wanted = OfClasses(chosen ?? MetricCatalog.Get("top1"), labelled!, floats, readings);
            var regret = MetricCatalog.Get("regret");
            if (truth!.DistrustsLabels)
                return (regret, [labelled!], $"regret on '{labelled}': the labels tell nothing about this model; {wanted.Name} is reported");
            if (truth.Count < EnoughLabels)
                return (regret, [labelled!], $"regret on '{labelled}': {truth.Count} labelled samples cannot tell 1 % of {wanted.Name} (fewer than "
                    + $"{EnoughLabels}); {wanted.Name} is reported with its interval");
            return (wanted, [labelled!], chosen is null
                ? $"{wanted.Name}: the data has {(truth.Labels is null ? "expected values for" : "labels that fit")} the output '{labelled}'"
                : $"{metric}: as the item says");
        }
        if (chosen is not null)
        {
            IReadOnlyList<string> outputs = chosen.NeedsClasses && !namesOutputs && scores.Count > 0 ? scores : names;
            if (chosen.NeedsClasses && floats.FirstOrDefault(o => outputs.Contains(o.Name) && HasOneValueARow(o, readings[o.Name])) is { } single)
                throw new CompressionException(Codes.NothingToJudge,
                    $"Metric={metric} compares classes, and '{single.Name}' {single.Type} has one value a row; name other outputs by MetricOutputs, or take "
                    + $"Metric=sqnr", "MetricOutputs");
            return (chosen, outputs, $"{metric}: as the item says");
        }
        if (scores.Count == names.Count)
            return (MetricCatalog.Get("regret"), names, "regret: every judged output is a softmax over classes, and there are no labels");
        return (MetricCatalog.Get(Sqnr.MetricName), names, truth is not null && names.Any(truth.Expected.Contains)
            ? "sqnr against the expected values of the data" : "sqnr: no labels, and not every judged output scores classes");
    }

    private static bool HasOneValueARow(Value output, OutputReading reading) =>
        reading.Meaning == OutputMeaning.Values && (output.Type is not { Rank: > 0 } t || t.Shape[^1] is { IsConstant: true, Value: 1 });

    private static Metric OfClasses(Metric metric, string output, List<Value> floats, Dictionary<string, OutputReading> readings) =>
        metric.Of(Classes(output, floats, readings)) is { StatisticCount: > 0 } of ? of
            : throw new CompressionException(Codes.MetricNeedsLabels,
                $"Metric={metric.Name} needs an output whose number of classes is fixed; '{output}' is {floats.First(o => o.Name == output).Type}", "Metric");

    private static int Classes(string output, List<Value> floats, Dictionary<string, OutputReading> readings)
    {
        var reading = readings[output];
        if (reading.Meaning == OutputMeaning.Probability)
            return 2;
        return floats.First(o => o.Name == output).Type is { Rank: > 0 } t && t.Shape[reading.Axis < 0 ? t.Rank - 1 : reading.Axis] is { IsConstant: true } d
            ? (int)d.Value : 0;
    }
}
