using System.Globalization;
using ModelBuild.Compiler.Measuring;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Zoo;

namespace ModelBuild.Benchmarks;

/// <summary>
/// What the cost table predicts against what this machine takes: every evaluated candidate of every zoo model for this machine's profile, over the original, on a sample of the model's own data.
/// All candidates of a model are timed in turn in one process, on one core.
/// </summary>
internal static class CostsCommand
{
    private const int Rounds = 31;

    private sealed record Row(string Model, string Recipe, string Backend, double Predicted, double Measured, bool Accepted, bool Chosen)
    {
        public double Off => Math.Max(Predicted / Measured, Measured / Predicted);
    }

    public static int Run(IReadOnlyList<string> arguments)
    {
        if (SharedFolder.Zoo is null)
        {
            Console.Error.WriteLine("../shared/zoo is not there");
            return 1;
        }
        bool write = arguments.Contains("--write");
        List<string> models = [.. arguments.Where(a => a != "--write")];
        OnnxRuntimeBackend.Register();
        Cores.PinToOne();
        List<Row> rows = [];
        foreach (string model in models.Count > 0 ? models : ZooModel.All)
        {
            IReadOnlyList<Row> mine = Measure(model);
            foreach (Row r in mine) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{r.Model,-20} {r.Recipe,-36} {r.Backend,-12} predicted {r.Predicted:0.00} measured {r.Measured:0.00}{(r.Off > 1.5 ? $"  off {r.Off:0.0}" : "")}{(r.Chosen ? "  chosen" : "")}"));
            rows.AddRange(mine);
        }
        List<double> errors = [.. rows.Select(r => r.Off - 1).Order()];
        var choices = rows.GroupBy(r => r.Model).Where(g => g.Any(r => r.Chosen)).Select(g => (Model: g.Key, Over: g.First(r => r.Chosen).Measured / g.Where(r => r.Accepted).Min(r => r.Measured))).ToList();
        string summary = string.Create(CultureInfo.InvariantCulture,
            $"{rows.Count} candidates of {choices.Count} models: median error {Interleaved.Median(errors):0.0 %}, {rows.Count(r => r.Off > 1.5)} off by more than 1.5 times; the choice is within 1.05 of the fastest in budget for {choices.Count(c => c.Over <= 1.05)} models");
        Console.WriteLine(summary);
        foreach (var (model, over) in choices.Where(c => c.Over > 1.05)) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {model}: {over:0.00} of the fastest"));
        if (!write) return 0;
        ResultsFile.Replace("costs", [summary + ".", "", "| model | recipe | backend | predicted | measured | |", "|---|---|---|---:|---:|---|",
            .. rows.Select(r => string.Create(CultureInfo.InvariantCulture, $"| {r.Model} | {r.Recipe} | {r.Backend} | {r.Predicted:0.00} | {r.Measured:0.00} | {(r.Off > 1.5 ? $"off by {r.Off:0.0}" : "")}{(r.Chosen ? " chosen" : "")} |"))], "costs --write", "a candidate's time over the original's");
        return 0;
    }

    private static List<Row> Measure(string name)
    {
        ZooModel zoo = ZooModel.Open(name);
        ModelSource source = ModelSource.Open(zoo.Model, new Dictionary<string, long>());
        CompressionOptions options = new() { Profiles = [BuiltInProfiles.ThisMachine], CalibrationData = [zoo.Calibration], EvaluationData = [zoo.Evaluation], Measure = false };
        using Compressor compressor = new(source, options, ["managed", "onnxruntime"], new byte[32], new TechniqueRegistry(), _ => { }, default);
        ProfileOutcome outcome = compressor.Choose(options.Profiles[0]);
        Sample sample = DataLoader.Open([zoo.Calibration], source.Interface, new(), "CalibrationData")![0];
        List<RankedCandidate> candidates = [.. outcome.Candidates.Where(c => !c.Candidate.IsOriginal && c.Candidate.Failure is null)];
        List<PreparedModel> prepared = [PreparedModel.Open(zoo.Model, DescriptionBuilder.Of(source.Original.Graph), BackendRegistry.Find("onnxruntime")!, sample)];
        try
        {
            foreach (RankedCandidate c in candidates)
                prepared.Add(PreparedModel.Open(c.Candidate.Artifact.Path, DescriptionBuilder.Of(source.Simplified!.Graph, new byte[32]), BackendRegistry.Find(c.Candidate.Backend)!, sample));
            IReadOnlyList<IReadOnlyList<double>> times = Interleaved.Measure([.. prepared.Select(p => (Action)p.Call)], Rounds, default, limit: 4000);
            double original = Interleaved.Median(times[0]);
            if (Environment.GetEnvironmentVariable("MODELBUILD_TRACES") is { } folder)
            {
                List<object> all = [];
                for (int i = 0; i <= candidates.Count; i++)
                {
                    string path = i == 0 ? zoo.Model : candidates[i - 1].Candidate.Artifact.Path;
                    if (i > 0 && candidates[i - 1].Candidate.Backend != "onnxruntime") continue;
                    bool blocks = Onnx.OnnxReader.Read(path).Nodes.Where(n => n.Is("Conv")).All(n => n.Input(1) is null or { IsGraphInput: false });
                    var plain = Compression.Backends.RuntimeTrace.Of(path, sample.Inputs);
                    var timed = Compression.Backends.RuntimeTrace.Of(path, sample.Inputs, 40, true);
                    all.Add(new
                    {
                        recipe = i == 0 ? "original" : candidates[i - 1].Candidate.Recipe, accepted = i == 0 || candidates[i - 1].Accepted, nanoseconds = Interleaved.Median(times[i]),
                        predicted = i == 0 ? 1 : candidates[i - 1].LatencyRatio,
                        plain = plain.Select(k => new { op = k.Operator, k = Compression.Backends.KernelClass.Of(k, blocks) is { } c ? new object[] { c.Class, c.Precision, c.Work.Units, c.Work.Outputs, c.Work.Gathered, c.Work.Weights } : null }),
                        timed = Enumerable.Range(0, timed[^1].Count).Select(n => new { op = timed[^1][n].Operator, us = timed.Skip(8).Where(t => t.Count == timed[^1].Count).Average(t => t[n].Microseconds), k = Compression.Backends.KernelClass.Of(plain.FirstOrDefault(q => q.Name == timed[^1][n].Name) ?? timed[^1][n], blocks) is { } c ? new object[] { c.Class, c.Precision, c.Work.Units, c.Work.Outputs, c.Work.Gathered, c.Work.Weights } : null }),
                    });
                }
                File.WriteAllText(Path.Combine(folder, name + ".json"), System.Text.Json.JsonSerializer.Serialize(all));
            }
            return [.. candidates.Select((c, i) => new Row(name, c.Candidate.Recipe, c.Candidate.Backend, c.LatencyRatio, Interleaved.Median(times[i + 1]) / original, compressor.Judge(c.Candidate).Accepted, ReferenceEquals(c.Candidate, outcome.Chosen.Candidate)))];
        }
        finally
        {
            prepared.ForEach(p => p.Dispose());
        }
    }
}
