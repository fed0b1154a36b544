using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Metrics;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Planning;

/// <summary>What candidates are judged by: the parts of the data, the original's answers to them, and the metrics. Data that proves nothing is refused or said
/// before anything rests on it.</summary>
public sealed class Judgement
{
    private Judgement(DataSplit data, ReferenceAnswers? choose, ReferenceAnswers? report, MetricSelection? selection, IReadOnlyList<Finding> findings,
        bool proves = true)
    {
        Proves = proves && choose is not null;
        Data = data;
        Choose = choose;
        Report = report;
        Selection = selection;
        Findings = findings;
    }

    /// <summary>How the data was split.</summary>
    public DataSplit Data { get; }

    /// <summary>The original's answers on the part that chooses; null without data.</summary>
    public ReferenceAnswers? Choose { get; }

    /// <summary>The original's answers on the part that reports; null without data.</summary>
    public ReferenceAnswers? Report { get; }

    /// <summary>Whether the data can prove anything: it is there, and the original does not answer almost all of it alike.</summary>
    public bool Proves { get; }

    /// <summary>The metrics; null where nothing is compressed.</summary>
    public MetricSelection? Selection { get; }

    /// <summary>What the user should know about the data.</summary>
    public IReadOnlyList<Finding> Findings { get; }

    /// <summary>Opens the data and looks at it through the original's eyes.</summary>
    /// <param name="source">The model.</param>
    /// <param name="options">The options.</param>
    /// <param name="original">Runs the original.</param>
    /// <param name="progress">Receives what goes on, with the number of samples done and of all.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="CompressionException">The data cannot be read, does not fit, or proves nothing (MDLB11xx), or the options do not fit it.</exception>
    public static Judgement Of(ModelSource source, CompressionOptions options, IModelRunner original, Action<string, int, int> progress,
        CancellationToken cancellation)
    {
        var calibration = DataLoader.Open(options.CalibrationData, source.Interface, options.Images, "CalibrationData");
        var evaluation = DataLoader.Open(options.EvaluationData, source.Interface, options.Images, "EvaluationData");
        var data = DataSplit.Of(calibration, evaluation);
        if (options.Technique == "none")
            return new(data, null, null, null, []);
        var graph = source.Original.Graph;
        var judged = MetricSelection.Judgeable(options.MetricOutputs, graph);
        var names = judged.Select(o => o.Name).ToList();
        ReferenceAnswers? Answers(Dataset? part) => part is null ? null : new(original, part, names);
        var (choose, report) = (Answers(data.Choose), Answers(data.Report));
        var metadata = evaluation is null ? "CalibrationData" : "EvaluationData";

        var check = new AnswerCheck(graph, judged);
        var declared = new DeclaredShapes(source.Original);
        // Pictures are brought to the declared size and hold numbers: where outputs follow from that there is nothing to see in them.
        if (data.Calibrate is { } calibrate && (calibrate.MayHoldNonFinite || !declared.AreProven))
            check.CheckInputs(calibrate, sample => declared.Look(sample, original), cancellation);
        var labels = new List<Tensor?>();
        ReferenceAnswers[] parts = [.. new[] { choose, report }.OfType<ReferenceAnswers>()];
        var (done, all) = (0, parts.Sum(p => p.Data.Count));
        check.CheckAnswers(parts, metadata, (sample, answer) =>
        {
            labels.Add(sample.Labels);
            declared.Look(sample.Inputs, answer.Outputs);
            progress("asking the original", ++done, all);
        }, cancellation);

        var truth = choose is null ? null : Truth(choose, report, labels, metadata);
        List<Finding> findings = [.. calibration?.Findings ?? [], .. evaluation?.Findings ?? []];
        if (calibration is not null && evaluation is { HasLabels: false, ExpectedOutputs.Count: 0 }
            && (calibration.HasLabels || calibration.ExpectedOutputs.Count > 0))
            findings.Add(new(Severity.Warning, Codes.ArrayUnused,
                "the labels or expected values of CalibrationData are not used: answers are judged on EvaluationData, which has none. Put them there, or "
                + "leave EvaluationData out, so that a part of CalibrationData is held out", "EvaluationData"));
        var selection = Select(options, graph, truth, findings);
        findings.AddRange([.. check.Findings, .. selection.Findings]);
        if (declared.Finding is { } contradicted)
            findings.Add(contradicted);
        if (choose is not null)
        {
            var (trusted, doubts) = TruthCheck.Run(selection, choose, truth!);
            findings.AddRange(doubts);
            if (doubts.Count > 0)
                selection = MetricSelection.Of(options.Metric, options.MetricOutputs, options.MaxAccuracyLoss, graph, trusted);
        }
        return new(data, choose, report, selection, findings, check.AnswersVary);
    }

    private static MetricSelection Select(CompressionOptions options, Graph graph, KnownTruth? truth, List<Finding> unused)
    {
        try
        {
            return MetricSelection.Of(options.Metric, options.MetricOutputs, options.MaxAccuracyLoss, graph, truth);
        }
        // Who misses labels should know of the array that may hold them.
        catch (CompressionException e) when (e.Code == Codes.MetricNeedsLabels && unused.Count > 0)
        {
            throw new CompressionException(e.Code, $"{e.Message}. {string.Join(". ", unused.Select(f => f.Text))}", e.Metadata, e);
        }
    }

    // Labels are known from both parts; how many there are counts where the decision is reported.
    private static KnownTruth Truth(ReferenceAnswers choose, ReferenceAnswers? report, List<Tensor?> labels, string metadata)
    {
        var decisive = report is null ? labels : labels.Skip(choose.Data.Count);
        var part = (report ?? choose).Data;
        var known = LabelSummary.Of(labels);
        return new(known, choose.Data.ExpectedOutputs, known is null ? part.Count : LabelSummary.Of(decisive)?.Counted ?? 0, metadata);
    }
}
