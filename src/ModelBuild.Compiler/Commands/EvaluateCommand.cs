using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
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
        var reference = CommonOptions.Text("--reference", "The original to compare with; the model itself where it is left out");
        var metric = new Option<string>("--metric") { Description = $"auto, {string.Join(", ", MetricCatalog.Names)}", DefaultValueFactory = _ => "auto" };
        var outputs = CommonOptions.List("--metric-outputs", "The judged outputs");
        var backend = CommonOptions.Backend();
        var threads = CommonOptions.Threads();
        var json = CommonOptions.Json();
        var command = new Command("evaluate", "Measures a model on data, against labels or the original") { model, evaluation, reference, metric, outputs, backend, threads, json };
        command.SetAction((parse, cancellation) =>
        {
            var candidate = OpenedModel.Open(parse.GetValue(model)!, parse.GetValue(backend)!);
            var original = OpenedModel.Open(parse.GetValue(reference) ?? candidate.Path);
            var data = candidate.Data(parse.GetValue(evaluation)!, "--evaluation");
            using var originalRunner = original.Runner(parse.GetValue(threads));
            using var runner = candidate.Runner(parse.GetValue(threads));
            var judge = original.Backend == "managed" ? null : OnnxReader.Read(original.Path);
            var selection = judge is not null
                ? MetricSelection.Of(parse.GetValue(metric)!, parse.GetValue(outputs)!, null, judge.Graph, data)
                : Named(parse.GetValue(metric)!, candidate);
            var judged = selection.Outputs.Concat(selection.Reported.Select(r => r.Output)).ToHashSet(StringComparer.Ordinal);
            var result = Evaluation.Run(new(originalRunner, data, judged), runner, selection, null, cancellation);
            if (parse.GetValue(json))
                Console.Out.WriteLine(JsonSerializer.Serialize(new(candidate.Path, original.Path, selection.Why, result.Deciding, result.All), EvaluationJson.Default.EvaluationDocument));
            else
                foreach (var r in result.All)
                    Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{r.Metric,-10} {r.Output,-24} original {r.Original:0.#####}  this {r.Compressed:0.#####}  loss {r.Loss:0.#####} [{r.LossLow:0.#####}, {r.LossHigh:0.#####}]  {r.Samples} samples"));
            return Task.FromResult(ExitCodes.Done);
        });
        return command;
    }

    /// <summary>A managed artifact does not tell what its outputs mean: every output is judged by the named metric, or by sqnr.</summary>
    private static MetricSelection Named(string metric, OpenedModel model)
    {
        var deciding = MetricCatalog.Get(metric == "auto" ? "sqnr" : metric);
        return new(deciding, [.. model.Interface.Outputs.Select(o => o.Name)], [], deciding.DefaultBudget, $"{deciding.Name}: as asked");
    }
}

/// <summary>What <c>evaluate --json</c> prints.</summary>
internal sealed record EvaluationDocument(string Model, string Reference, string Why, MetricResult Deciding, IReadOnlyList<MetricResult> Metrics);

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(EvaluationDocument))]
internal sealed partial class EvaluationJson : JsonSerializerContext;
