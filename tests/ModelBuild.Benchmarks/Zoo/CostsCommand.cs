using System.Globalization;
using ModelBuild.Compiler.Measuring;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Onnx;
using ModelBuild.Zoo;

namespace ModelBuild.Benchmarks;

/// <summary>
/// What the cost table predicts against what this machine takes: every candidate of every zoo model for this machine's profile, over the original, on a sample
/// of the model's own data. All candidates of a model are timed in turn in one process, on one core. Beside it, what the table predicts that is fitted without
/// the model that is judged, to the other ones and to samples of single operators.
/// <c>--fit FOLDER</c> writes tables fitted to all models.
/// </summary>
internal static class CostsCommand
{
    private const int Rounds = 31;

    private sealed record Row(string Model, string Recipe, string Backend, double Predicted, double Measured, bool Accepted, bool Chosen,
        CostFit.Call Original, CostFit.Call Call)
    {
        public double Off => OffBy(Predicted, Measured);
    }

    private static double OffBy(double predicted, double measured) => Math.Max(predicted / measured, measured / predicted);

    public static int Run(IReadOnlyList<string> arguments)
    {
        if (SharedFolder.Zoo is null)
        {
            Console.Error.WriteLine("the models of docs/zoo.md are not here");
            return 1;
        }
        var write = arguments.Contains("--write");
        var folder = arguments.SkipWhile(a => a != "--fit").Skip(1).FirstOrDefault();
        List<string> models = [.. arguments.Where(a => a is not ("--write" or "--fit") && a != folder)];
        OnnxRuntimeBackend.Register();
        Cores.PinToOne();
        List<Row> rows = [];
        foreach (var model in models.Count > 0 ? models : ZooModel.All)
        {
            IReadOnlyList<Row> mine = Measure(model);
            foreach (Row r in mine) Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{r.Model,-20} {r.Recipe,-36} {r.Backend,-12} predicted {r.Predicted:0.00} measured "
                + $"{r.Measured:0.00}{(r.Off > 1.5 ? $"  off {r.Off:0.0}" : "")}{(r.Chosen ? "  chosen" : "")}"));
            rows.AddRange(mine);
        }
        CostTable table = CostTable.Load(BuiltInProfiles.ThisMachine.CostClass);
        List<CostFit.Call> calls = [.. rows.SelectMany(r => new[] { r.Original, r.Call }).Distinct(), .. Samples()];
        Dictionary<Row, double> left = new(ReferenceEqualityComparer.Instance);
        foreach (IGrouping<string, Row> model in rows.GroupBy(r => r.Model))
        {
            CostTable without = CostFit.Fit(table, [.. calls.Where(c => c.Model != model.Key)]);
            foreach (Row r in model) left[r] = CostFit.Predict(without, r.Call) / CostFit.Predict(without, r.Original);
        }
        string[] summary =
        [
            $"The table that ships: {Summary(rows, r => r.Predicted)}; the choice is within 1.05 of the fastest in budget for "
                + $"{Choices(rows).Count(c => c.Over <= 1.05)} of {Choices(rows).Count} models.",
            "",
            $"Fitted to the other models, and to samples of single operators: {Summary(rows, r => left[r])}; the choice by that within 1.05 of the fastest "
                + $"in budget for {Choices(rows, r => left[r]).Count(c => c.Over <= 1.05)} of {Choices(rows).Count}.",
        ];
        foreach (var line in summary) Console.WriteLine(line);
        foreach (Row r in rows.Where(r => OffBy(left[r], r.Measured) > 1.5)) Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  fitted without it: {r.Model} {r.Recipe} {left[r]:0.00}, measured {r.Measured:0.00}"));
        foreach (var (model, over) in Choices(rows).Where(c => c.Over > 1.05)) Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {model}: {over:0.00} of the fastest"));
        foreach (var (model, over) in Choices(rows, r => left[r]).Where(c => c.Over > 1.05)) Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  fitted without it: {model}: {over:0.00} of the fastest"));
        if (folder is not null)
        {
            CostTable fitted = CostFit.Fit(table, calls) with { Version = table.Version + 1 };
            foreach (var other in BuiltInProfiles.All.Select(p => p.CostClass).Distinct())
                File.WriteAllText(Path.Combine(folder, other + ".json"),
                    (other == table.CpuClass ? fitted : CostFit.Follow(CostTable.Load(other), table, fitted)).ToJson() + "\n");
        }
        if (!write) return 0;
        ResultsFile.Replace("costs", [.. summary, "", "| model | recipe | backend | predicted | fitted without the model | measured | |",
            "|---|---|---|---:|---:|---:|---|",
            .. rows.Select(r => string.Create(CultureInfo.InvariantCulture,
                $"| {r.Model} | {r.Recipe} | {r.Backend} | {r.Predicted:0.00} | {left[r]:0.00} | {r.Measured:0.00} | "
                + $"{(r.Off > 1.5 ? $"off by {r.Off:0.0}" : "")}{(r.Chosen ? " chosen" : "")} |"))], "costs --write", "a candidate's time over the original's");
        return 0;
    }

    private static string Summary(List<Row> rows, Func<Row, double> predicted)
    {
        List<double> off = [.. rows.Select(r => OffBy(predicted(r), r.Measured))];
        return string.Create(CultureInfo.InvariantCulture,
            $"{rows.Count} candidates, median error {Interleaved.Median(off) - 1:0.0 %}, {off.Count(o => o > 1.5)} off by more than 1.5 times");
    }

    /// <summary>How much longer the candidate takes that a prediction would have chosen than the fastest one in budget.</summary>
    private static List<(string Model, double Over)> Choices(List<Row> rows, Func<Row, double> predicted) =>
        [.. rows.GroupBy(r => r.Model).Where(g => g.Any(r => r.Chosen))
            .Select(g => (g.Key, g.Where(r => r.Accepted).MinBy(predicted)!.Measured / g.Where(r => r.Accepted).Min(r => r.Measured)))];

    private static List<(string Model, double Over)> Choices(List<Row> rows) =>
        [.. rows.GroupBy(r => r.Model).Where(g => g.Any(r => r.Chosen))
            .Select(g => (g.Key, g.First(r => r.Chosen).Measured / g.Where(r => r.Accepted).Min(r => r.Measured)))];

    private static IEnumerable<CostFit.Call> Samples()
    {
        using ArtifactFolder folder = new();
        var number = 0;
        foreach (OperatorSample sample in OperatorSamples.All().SelectMany(s => s.Samples).Concat(OperatorSamples.Further()))
        {
            var path = folder.Add(sample.Model).Path;
            Value x = sample.Model.Graph.Inputs[0];
            var shape = x.Type!.StaticShape!;
            Tensor data = x.Type.ElementType == ElementType.UInt8 ? Tensor.Of(new byte[Tensor.Count(shape)], shape)
                : Tensor.Of([.. Enumerable.Range(0, (int)Tensor.Count(shape)).Select(i => MathF.Sin(i))], shape);
            using PreparedModel prepared = PreparedModel.Open(OnnxWriter.ToBytes(sample.Model), DescriptionBuilder.Of(sample.Model.Graph),
                BackendRegistry.Find("onnxruntime")!);
            var time = Interleaved.Median(Interleaved.Measure([prepared.Call], Rounds, default)[0]);
            yield return new($"sample {number++}", "sample",
                CostFit.AmountsOf(OnnxRuntimeCostModel.KernelsOf(sample.Model, path,
                new(new Dictionary<string, Tensor> { [x.Name] = data }, null, new Dictionary<string, Tensor>()))), time, IsSample: true);
        }
    }

    private static List<Row> Measure(string name)
    {
        ZooModel zoo = ZooModel.Open(name);
        ModelSource source = ModelSource.Open(zoo.Model, new Dictionary<string, long>());
        CompressionOptions options = new() { Profiles = [BuiltInProfiles.ThisMachine], CalibrationData = [zoo.Calibration], EvaluationData = [zoo.Evaluation],
            Measure = false };
        using Compressor compressor = new(source, options, ["managed", "onnxruntime"], new byte[32], new TechniqueRegistry(), _ => { }, default);
        ProfileOutcome outcome = compressor.Choose(options.Profiles[0]);
        Sample sample = DataLoader.Open([zoo.Calibration], source.Interface, new(), "CalibrationData")![0];
        // Those that would not ship, too.
        List<RankedCandidate> candidates = [.. outcome.Candidates.Where(c => !c.Candidate.IsOriginal && c.Candidate.Failure is null)];
        List<bool> accepted = [.. candidates.Select(c => compressor.Judge(c.Candidate).Accepted)];
        List<PreparedModel> prepared =
            [PreparedModel.Open(zoo.Model, DescriptionBuilder.Of(source.Original.Graph), BackendRegistry.Find("onnxruntime")!, sample)];
        try
        {
            foreach (RankedCandidate c in candidates)
                prepared.Add(PreparedModel.Open(c.Candidate.Artifact.Path, DescriptionBuilder.Of(source.Simplified!.Graph, new byte[32]),
                    BackendRegistry.Find(c.Candidate.Backend)!, sample));
            double[] times = [.. Interleaved.Measure([.. prepared.Select(p => (Action)p.Call)], Rounds, default, limit: 4000).Select(Interleaved.Median)];
            CostFit.Call original = new(name, "original", CostFit.AmountsOf(OnnxRuntimeCostModel.KernelsOf(source.Original, zoo.Model, sample)), times[0]);
            CostTable table = CostTable.Load(BuiltInProfiles.ThisMachine.CostClass);
            return [.. candidates.Select((c, i) => new Row(name, c.Candidate.Recipe, c.Candidate.Backend, c.LatencyRatio, times[i + 1] / times[0], accepted[i],
                ReferenceEquals(c.Candidate, outcome.Chosen.Candidate), original,
                new(name, c.Candidate.Recipe, c.Candidate.Backend == "onnxruntime"
                    ? CostFit.AmountsOf(OnnxRuntimeCostModel.KernelsOf(c.Candidate.Model!, c.Candidate.Artifact.Path, sample))
                    : CostFit.AmountsOf(ManagedCostModel.KernelsOf(c.Candidate.Artifact.Path, compressor.TypicalDimensions)), times[i + 1])))];
        }
        finally
        {
            prepared.ForEach(p => p.Dispose());
        }
    }
}
