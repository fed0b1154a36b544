using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using ModelBuild.Compression;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Metrics;
using ModelBuild.Onnx;

namespace ModelBuild.Compiler.Commands;

/// <summary><c>modelbuild evaluate</c>: a model against labels, or against the original.</summary>
internal static class EvaluateCommand
{
    public static Command Create()
    {
        var model = CommonOptions.Model();
        var evaluation = CommonOptions.RequiredList("--evaluation", "Evaluation data: .npz, .npy, folders, globs");
        var reference = CommonOptions.Text("--reference",
            "The original to compare with; where it is left out the model is measured on labels or expected values alone");
        var metric = new Option<string>("--metric") { Description = $"auto, {string.Join(", ", MetricCatalog.Names)}", DefaultValueFactory = _ => "auto" };
        var outputs = CommonOptions.List("--metric-outputs", "The judged outputs");
        var backend = CommonOptions.Backend();
        var threads = CommonOptions.Threads();
        var json = CommonOptions.Json();
        var command = new Command("evaluate", "Measures a model on data, against labels or the original") { model, evaluation, reference, metric, outputs,
            backend, threads, json };
        command.SetAction((parse, cancellation) =>
        {
            var candidate = OpenedModel.Open(parse.GetValue(model)!, parse.GetValue(backend)!);
            var original = parse.GetValue(reference) is { } path ? OpenedModel.Open(path) : null;
            var data = candidate.Data(parse.GetValue(evaluation)!, "--evaluation");
            FindingOutput.Write(data.Findings);
            using var runner = candidate.Runner(parse.GetValue(threads));
            using var originalRunner = original?.Runner(parse.GetValue(threads));
            var truth = KnownTruth.Of(data, "--evaluation");
            var described = original ?? candidate;
            var graph = !CompilerBackends.Get(described.Backend).RunsOriginals ? null : OnnxReader.Read(described.RunnablePath).Graph;
            var selection = graph is null ? Named(parse.GetValue(metric)!, candidate, truth)
                : MetricSelection.Of(parse.GetValue(metric)!, parse.GetValue(outputs)!, null, graph, truth);
            if (original is null)
                selection = OnTruthAlone(selection, parse.GetValue(metric)!);
            var answers = new ReferenceAnswers(originalRunner ?? runner, data, selection.Judged);
            var check = new AnswerCheck(graph, graph is null ? []
                : [.. graph.Outputs.Where(o => o.Type is not null && selection.Judged.Contains(o.Name)).DistinctBy(o => o.Name)]);
            check.CheckAnswers([answers], "--evaluation", null, cancellation);
            FindingOutput.Write(check.Findings);
            var result = Evaluation.Run(answers, runner, selection, null, cancellation);
            if (parse.GetValue(json))
                Console.Out.WriteLine(JsonSerializer.Serialize(new(candidate.Path, original?.Path, selection.Why, Measured(result.Deciding, original),
                    [.. result.All.Select(r => Measured(r, original))]), EvaluationJson.Default.EvaluationDocument));
            else
                foreach (var r in result.All)
                    Console.Out.WriteLine(original is null
                        ? string.Create(CultureInfo.InvariantCulture, $"{r.Metric,-10} {r.Output,-24} {r.Compressed:0.#####}  {r.Samples} samples")
                        : string.Create(CultureInfo.InvariantCulture,
                            $"{r.Metric,-10} {r.Output,-24} original {r.Original:0.#####}  this {r.Compressed:0.#####}  loss {r.Loss:0.#####} "
                            + $"[{r.LossLow:0.#####}, {r.LossHigh:0.#####}]  {r.Samples} samples"));
            return Task.FromResult(ExitCodes.Done);
        });
        return command;
    }

    /// <summary>Without an original only what labels and expected values tell is worth a figure: a model compared with itself loses nothing.</summary>
    private static MetricSelection OnTruthAlone(MetricSelection selection, string metric)
    {
        var taken = selection.Outputs.Select(o => (Metric: selection.Deciding, Output: o)).Concat(selection.Reported)
            .Where(t => t.Metric.NeedsLabels || selection.Against.Contains(t.Output)).ToList();
        if (taken.Count == 0 || metric != "auto" && taken.All(t => t.Metric.Name != metric))
            throw new CompressionException(CompilerCodes.MetricNeedsLabels,
                $"Metric={metric}: without --reference ORIGINAL a model is measured on what its data knows, and the data has no labels and no expected "
                + $"values that {(metric == "auto" ? "fit" : "it takes")}. Name the original by --reference, or put 'labels', or arrays named as the "
                + $"outputs, into the data", "--reference");
        var first = taken.FindIndex(t => metric == "auto" || t.Metric.Name == metric);
        return selection with
        {
            Deciding = taken[first].Metric,
            Outputs = [taken[first].Output],
            Reported = [.. taken.Where((_, i) => i != first)],
            Why = $"{taken[first].Metric.Name} on '{taken[first].Output}': what the data itself knows",
        };
    }

    private static MeasuredMetric Measured(MetricResult r, OpenedModel? original) => original is null
        ? new(r.Metric, r.Output, null, r.Compressed, null, null, null, r.Samples)
        : new(r.Metric, r.Output, r.Original, r.Compressed, r.Loss, r.LossLow, r.LossHigh, r.Samples);

    /// <summary>A managed artifact does not tell what its outputs mean: every output is judged by the named metric, or by what the data knows.</summary>
    private static MetricSelection Named(string metric, OpenedModel model, KnownTruth truth)
    {
        var names = model.Interface.Outputs.Select(o => o.Name).ToList();
        var deciding = MetricCatalog.Get(metric != "auto" ? metric : truth.Labels is not null && names.Count == 1 ? "top1" : "sqnr");
        if (deciding.NeedsLabels && truth.Labels is null)
            throw new CompressionException(CompilerCodes.MetricNeedsLabels,
                $"Metric={deciding.Name} needs labels: put an integer array 'labels' into the evaluation data, one class number a sample", "--evaluation");
        return new(deciding, names, [], deciding.DefaultBudget, $"{deciding.Name}: {(metric == "auto" ? "what the data knows" : "as asked")}") { Against =
            truth.Expected.Intersect(names).ToHashSet(StringComparer.Ordinal) };
    }
}

/// <summary>What <c>evaluate --json</c> prints.</summary>
/// <param name="Model">The measured model.</param>
/// <param name="Reference">The original, or null where there is none.</param>
/// <param name="Why">How the metric was picked.</param>
/// <param name="Deciding">The deciding metric.</param>
/// <param name="Metrics">All metrics.</param>
internal sealed record EvaluationDocument(string Model, string? Reference, string Why, MeasuredMetric Deciding, IReadOnlyList<MeasuredMetric> Metrics);

/// <summary>A metric of the model (<paramref name="Compressed"/>), and where there is an original its value and what is lost.</summary>
internal sealed record MeasuredMetric(string Metric, string Output, double? Original, double Compressed, double? Loss, double? LossLow, double? LossHigh,
    int Samples);

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(EvaluationDocument))]
internal sealed partial class EvaluationJson : JsonSerializerContext;
