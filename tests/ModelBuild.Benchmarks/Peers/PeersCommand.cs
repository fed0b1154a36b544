using System.Diagnostics;
using ModelBuild.Compiler.Measuring;
using ModelBuild.Compression;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Metrics;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Onnx;
using ModelBuild.Zoo;

namespace ModelBuild.Benchmarks;

/// <summary>
/// What ships for the zoo's models beside what other tools made of them: accuracy on the same samples with exact integer sums, size, the share that computes in
/// integers, and time over the original's, all interleaved in one process on one pinned thread. Written to docs/results/quantization.md, a section for each CPU
/// class; with models named, only their rows are replaced.
/// </summary>
internal static class PeersCommand
{
    private const int Rounds = 41;

    /// <summary>Milliseconds of timing for one model, once each artifact has had its three rounds.</summary>
    private const double Limit = 4000;

    /// <summary>Milliseconds that judging one artifact of a slow model may take; then fewer samples, the same for all artifacts, are judged.</summary>
    private const double LongestJudging = 3000;

    private const int FewestSamples = 64;

    private const string Seven = "x64-avx2";

    /// <summary>What other tools made.</summary>
    public static string Folder { get; } = Path.Combine(SharedFolder.Folder, "peers");

    public static int Run(IReadOnlyList<string> models)
    {
        if (SharedFolder.Zoo is null || !Directory.Exists(Folder))
        {
            Console.Error.WriteLine("the models of docs/zoo.md, and what other tools made of them, are not here");
            return 1;
        }
        string[] all = [.. ZooModel.All.Where(m => Directory.Exists(Path.Combine(Folder, m)))];
        if (models.Except(all).FirstOrDefault() is { } unknown)
        {
            Console.Error.WriteLine($"no peer made anything of '{unknown}'; models are {string.Join(", ", all)}");
            return 2;
        }
        OnnxRuntimeBackend.Register();
        Cores.PinToOne();
        var file = PeerRow.FileOf(CpuFeatureDetection.Class);
        var rows = PeerRow.Read(file);
        var records = PeerRecord.Read();
        foreach (var model in models.Count > 0 ? models : all)
        {
            var clock = Stopwatch.StartNew();
            var mine = Rows(model);
            rows.RemoveAll(r => r.Model == model);
            rows.AddRange(mine);
            foreach (var row in mine) Console.WriteLine(PeerTables.Line(row, mine[0]));
            Console.WriteLine($"{model}: {clock.Elapsed.TotalSeconds:0} s");
            // After each model: a run that is stopped keeps what it has.
            PeerRow.Write(file, rows);
            ResultsFile.Replace("quantization", PeerTables.Of(PeerRow.Read(file), records), "peers", "the artifact over the original in ONNX Runtime");
        }
        foreach (var line in PeerTables.Summary(PeerRow.Read(file), records)) Console.WriteLine(line);
        return 0;
    }

    /// <summary>An artifact to be judged.</summary>
    /// <param name="Path">The file.</param>
    /// <param name="Bytes">Its size.</param>
    /// <param name="Counted">The .onnx file whose kernels are counted. A managed artifact's are those of the graph that it was lowered from.</param>
    private sealed record Entry(PeerKind Kind, string Name, string Backend, string Path, long Bytes, string Counted)
    {
        /// <summary>The file that ships for several choices is judged and timed once.</summary>
        public string Key => Path;
    }

    private static List<PeerRow> Rows(string name)
    {
        var zoo = ZooModel.Open(name);
        CompressionOptions options = new()
        {
            Profiles = [BuiltInProfiles.ThisMachine, BuiltInProfiles.Get(Seven)],
            CalibrationData = [zoo.Calibration],
            EvaluationData = File.Exists(zoo.Evaluation) ? [zoo.Evaluation] : [],
            MetricOutputs = zoo.MetricOutputs,
            // What is offered for size alone is made as well; which of all is preferred is asked for both objectives.
            Optimize = Objective.Size,
            // What the table chooses: timing is done here.
            Measure = false,
        };
        var source = ModelSource.Open(zoo.Model, options.Shapes);
        var folder = Directory.CreateTempSubdirectory("peers");
        try
        {
            using Compressor compressor = new(source, options, ["managed", "onnxruntime"], new byte[32], new TechniqueRegistry(), _ => { }, default);
            List<Entry> entries = [new(PeerKind.Original, "original", "onnxruntime", zoo.Model, source.Artifact.Length, zoo.Model),
                Ours(compressor, PeerKind.Latency, BuiltInProfiles.ThisMachine, Objective.Latency, folder.FullName),
                Ours(compressor, PeerKind.Size, BuiltInProfiles.ThisMachine, Objective.Size, folder.FullName),
                Ours(compressor, PeerKind.Avx2, BuiltInProfiles.Get(Seven), Objective.Latency, folder.FullName),
                .. Directory.EnumerateFiles(Path.Combine(Folder, name), "*.onnx").Order(StringComparer.Ordinal).Select(f =>
                    new Entry(PeerKind.Peer, Path.GetFileNameWithoutExtension(f), "onnxruntime", f, Artifact.Of(f).Length, f))];
            return Rows(name, zoo, source, compressor, entries);
        }
        finally
        {
            folder.Delete(true);
        }
    }

    private static Entry Ours(Compressor compressor, PeerKind kind, HardwareProfile profile, Objective objective, string folder)
    {
        var chosen = compressor.Choose(profile, objective).Chosen.Candidate;
        var counted = chosen.Artifact.Path;
        if (chosen.Backend != "onnxruntime" && chosen.Model is { } model)
        {
            counted = Path.Combine(folder, $"{chosen.Artifact.Sha256}.onnx");
            OnnxWriter.Write(model, counted);
        }
        return new(kind, chosen.Recipe, chosen.Backend, chosen.Artifact.Path, chosen.Artifact.Length, counted);
    }

    private static List<PeerRow> Rows(string name, ZooModel zoo, ModelSource source, Compressor compressor, List<Entry> entries)
    {
        var selection = Also(compressor.Selection!);
        // The runner's way with integers: exact sums on every CPU, so that nobody is judged by a saturating instruction.
        using OnnxRuntimeRunner original = new(zoo.Model);
        var data = DataLoader.Open([File.Exists(zoo.Evaluation) ? zoo.Evaluation : zoo.Calibration], source.Interface, new(), "EvaluationData")!;
        var sample = data[0];
        data = Bounded(data, original, sample);
        ReferenceAnswers reference = new(original, data, selection.Judged);
        Dictionary<string, (EvaluationResult? Result, string? Refused)> judged = [];
        Dictionary<string, IntegerWork?> work = [];
        foreach (var e in entries)
            if (!judged.ContainsKey(e.Key))
            {
                judged[e.Key] = Judge(e, source, reference, selection);
                work[e.Key] = judged[e.Key].Refused is null ? Counted(e, sample) : null;
            }
        var times = Times(entries.Where(e => judged[e.Key].Refused is null && e.Kind != PeerKind.Avx2), zoo, source, sample);
        var countsWeights = IntegerWork.CountsWeights(source.Original);
        return [.. entries.Select(e =>
        {
            (EvaluationResult? result, var refused) = judged[e.Key];
            var row = new PeerRow(name, e.Kind, e.Name, e.Backend, e.Bytes) { Refused = refused, Budget = selection.Budget, Samples = data.Count };
            if (result is null) return row;
            return row with
            {
                Metric = result.Deciding.Metric, Loss = Finite(result.Deciding.Loss),
                InBudget = result.Deciding.Loss <= selection.Budget || result.IsRounding,
                Top1 = Worst(result, "top1", r => r.Compressed), Agreement = Worst(result, "agreement", r => r.Compressed),
                Regret = Worst(result, "regret", r => -r.Loss) is { } regret ? -regret : null, Sqnr = Worst(result, Sqnr.MetricName, r => r.Compressed),
                MultiplyAdds = work[e.Key]?.MultiplyAdds, Weights = work[e.Key]?.Weights ?? 0, FloatLayers = work[e.Key]?.FloatLayers ?? [],
                CountsWeights = countsWeights,
                // What ships for another class says nothing by its time here, also where it is the same file.
                Time = e.Kind != PeerKind.Avx2 && times.TryGetValue(e.Key, out var time) ? time : null,
            };
        })];
    }

    /// <summary>The product's metrics, and regret wherever an output scores classes.</summary>
    private static MetricSelection Also(MetricSelection selection)
    {
        var regret = new Regret();
        var scores = selection.Reported.Where(r => r.Metric.Name == "agreement" && selection.ReadingOf(r.Output).Meaning
            is not (OutputMeaning.Classes or OutputMeaning.Exact)).Select(r => r.Output);
        return selection.Deciding.Name == regret.Name ? selection
            : selection with { Reported = [.. selection.Reported, .. scores.Select(o => ((Metric)regret, o))] };
    }

    private static Dataset Bounded(Dataset data, OnnxRuntimeRunner original, Sample sample)
    {
        original.Run(sample.Inputs);
        var clock = Stopwatch.StartNew();
        original.Run(sample.Inputs);
        original.Run(sample.Inputs);
        var count = (int)Math.Max(FewestSamples, LongestJudging / Math.Max(1e-3, clock.Elapsed.TotalMilliseconds / 2));
        // Spread over all of the data: it may be sorted.
        return count >= data.Count ? data : data.Subset([.. Enumerable.Range(0, count).Select(i => (int)((long)i * data.Count / count))]);
    }

    private static (EvaluationResult? Result, string? Refused) Judge(Entry entry, ModelSource source, ReferenceAnswers reference, MetricSelection selection)
    {
        // The option for exact sums rewrites weights, which not every file survives. CPUs with a dot product of integers need none; on others the file is run
        // as it is written, where products are in float.
        Func<IModelRunner>[] ways = entry.Backend == "onnxruntime" ? [() => new OnnxRuntimeRunner(entry.Path), () => AsItIs(entry.Path)]
            : [() => CompilerBackends.Get(entry.Backend).Open(entry.Path, () => DescriptionBuilder.Of(source.Simplified!.Graph, new byte[32]), 1)];
        string? why = null;
        foreach (var open in ways)
            try
            {
                using var runner = open();
                return (Evaluation.Run(reference, runner, selection), null);
            }
            catch (Exception e) when (e is CompressionException or OnnxException or ModelLoadException)
            {
                why = e.Message;
            }
        return (null, why);
    }

    private static OnnxRuntimeRunner AsItIs(string path)
    {
        using var options = OnnxRuntimeRunner.Options(1, exactIntegers: false);
        if (!CpuFeatureDetection.HasIntegerDotProduct)
            options.GraphOptimizationLevel = Microsoft.ML.OnnxRuntime.GraphOptimizationLevel.ORT_DISABLE_ALL;
        return new(path, options);
    }

    private static IntegerWork? Counted(Entry entry, Sample sample)
    {
        try
        {
            return IntegerWork.Of(entry.Counted, sample);
        }
        catch (Exception e) when (e is CompressionException or OnnxException or InvalidOperationException)
        {
            Console.Error.WriteLine($"{entry.Name}: its integers cannot be counted: {e.Message}");
            return null;
        }
    }

    /// <summary>Medians over rounds of the time of each file over the original's in the same round.</summary>
    private static Dictionary<string, double> Times(IEnumerable<Entry> entries, ZooModel zoo, ModelSource source, Sample sample)
    {
        Dictionary<string, PreparedModel> prepared = [];
        try
        {
            foreach (var e in entries.DistinctBy(e => e.Key))
                try
                {
                    var graph = e.Kind == PeerKind.Original || e.Path == zoo.Model || e.Kind == PeerKind.Peer ? source.Original.Graph
                        : (source.Simplified ?? source.Original).Graph;
                    var isOurs = e.Kind is PeerKind.Latency or PeerKind.Size && e.Name != "original";
                    prepared.Add(e.Key, PreparedModel.Open(e.Path, DescriptionBuilder.Of(graph, isOurs ? new byte[32] : null), BackendRegistry.Find(e.Backend)!,
                        sample));
                }
                catch (Exception failure) when (failure is CompressionException or ModelLoadException)
                {
                    Console.Error.WriteLine($"{e.Name}: not timed: {failure.Message}");
                }
            string[] keys = [.. prepared.Keys];
            var times = Interleaved.Measure([.. keys.Select(k => (Action)prepared[k].Call)], Rounds, default, limit: Limit);
            var originals = times[Array.IndexOf(keys, zoo.Model)];
            return keys.Select((k, i) => (k, Ratio: Interleaved.Median(times[i].Zip(originals, (own, whole) => own / whole))))
                .ToDictionary(t => t.k, t => t.Ratio);
        }
        finally
        {
            foreach (var model in prepared.Values) model.Dispose();
        }
    }

    /// <summary>The least of a figure over the outputs that a metric judges; null where it judges none.</summary>
    internal static double? Worst(EvaluationResult result, string metric, Func<MetricResult, double> value) =>
        result.All.Where(r => r.Metric == metric && r.Samples > 0).Select(value).Where(double.IsFinite).Select(v => (double?)v).Min();

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;
}
