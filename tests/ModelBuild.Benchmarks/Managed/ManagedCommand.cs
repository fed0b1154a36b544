using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using ModelBuild.Compiler.Measuring;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Managed;
using ModelBuild.Onnx;
using ModelBuild.Zoo;

namespace ModelBuild.Benchmarks;

/// <summary>
/// The zoo's models in float on the managed backend against ONNX Runtime: both on a sample of the model's own data, interleaved in one process on one core. For
/// each the largest difference over the largest answer, the ratio of medians over several rounds of measuring, what an artifact takes, and what stands in the way
/// of those that are refused. <c>--int8</c> measures what the technique int8 makes of them instead (<c>--dynamic-int8</c>: that technique), on both sides, and tells how far each is from the interpreter; <c>--threads</c> compares two threads with one
/// instead, both on the managed backend and not pinned; <c>--kernels</c> also tells how long each kernel takes; <c>--fit FOLDER</c> writes the cost tables with the kernels' lines as they are here.
/// <c>--processes N</c> does all in so many processes, one after the other, and takes the medians: memory lies elsewhere in each.
/// </summary>
internal static class ManagedCommand
{
    private const int Rounds = 25;

    private sealed record Row(string Model, double Ratio, double Microseconds, double Difference, long Bytes, string? Refused, long Allocated = 0, double Load = 0);

    public static int Run(IReadOnlyList<string> arguments)
    {
        if (SharedFolder.Zoo is null)
        {
            Console.Error.WriteLine("the models of docs/zoo.md are not here");
            return 1;
        }
        string? folder = After("--fit"), processes = After("--processes");
        List<string> models = [.. arguments.Where(a => !a.StartsWith("--", StringComparison.Ordinal) && a != folder && a != processes)];
        KernelFit? fit = folder is null ? null : new();
        OnnxRuntimeBackend.Register();
        var threads = arguments.Contains("--threads");
        if (!threads) Cores.PinToOne();
        List<Row> rows = [];
        var kind = arguments.FirstOrDefault(static a => a is "--int8" or "--dynamic-int8" or "--threads");
        foreach (var model in models.Count > 0 ? models : ZooModel.All)
        {
            Row row = processes is null ? Measure(model, kind is "--int8" or "--dynamic-int8" ? kind[2..] : null, arguments.Contains("--kernels"), threads, fit)
                : InProcesses(model, int.Parse(processes, CultureInfo.InvariantCulture), kind is null ? [] : [kind]);
            if (arguments.Contains("--row"))
            {
                Console.WriteLine(JsonSerializer.Serialize(row, Rows));
                continue;
            }
            Console.WriteLine(row.Refused is { } why ? $"{row.Model,-20} refused: {why}" : string.Create(CultureInfo.InvariantCulture,
                $"{row.Model,-20} {row.Ratio:0.00}  {row.Microseconds:0.0} us  difference {row.Difference:0.0e0}  {row.Allocated} bytes a call  loads in {row.Load:0.0} ms"));
            rows.Add(row);
        }
        List<Row> ran = [.. rows.Where(r => r.Refused is null)];
        var summary = string.Create(CultureInfo.InvariantCulture, $"{ran.Count} of {rows.Count} models run managed; geometric mean "
            + $"{Math.Exp(ran.Select(r => Math.Log(r.Ratio)).DefaultIfEmpty().Average()):0.00}, {ran.Count(r => r.Ratio > 1.05)} above 1.05");
        // What two threads gain depends on it.
        if (threads) summary += string.Create(CultureInfo.InvariantCulture, $"; a word from one core to the other and back takes {RoundTrip():0} ns");
        Console.WriteLine(summary);
        if (folder is not null)
        {
            CostTable table = CostTable.Load(BuiltInProfiles.ThisMachine.CostClass);
            CostTable fitted = fit!.Fit(table) with { Version = table.Version + 1 };
            foreach (var other in BuiltInProfiles.All.Select(p => p.CostClass).Distinct())
                File.WriteAllText(Path.Combine(folder, other + ".json"), (other == table.CpuClass ? fitted : KernelFit.Follow(CostTable.Load(other), table, fitted))
                    .ToJson() + "\n");
        }
        if (!arguments.Contains("--write")) return 0;
        ResultsFile.Replace("managed" + kind?[1..], [summary + (processes is null ? "." : $"; medians of {processes} processes."), "",
            "| model | ratio | managed, us | difference | artifact, KB | bytes a call | load, ms |", "|---|---:|---:|---:|---:|---:|---:|",
            .. ran.Select(r => string.Create(CultureInfo.InvariantCulture,
                $"| {r.Model} | {r.Ratio:0.00} | {r.Microseconds:0.0} | {r.Difference:0.0e0} | {r.Bytes / 1024.0:0} | {r.Allocated} | {r.Load:0.0} |")),
            "", .. rows.Where(r => r.Refused is not null).Select(r => $"- {r.Model} is refused: {r.Refused}")],
            string.Join(' ', (string?[])["managed", kind, processes is null ? null : $"--processes {processes}", "--write"]).Replace("  ", " ", StringComparison.Ordinal),
            threads ? "two threads over one, on cores that are not pinned" : "ours over ONNX Runtime's");
        return 0;

        string? After(string option) => arguments.SkipWhile(a => a != option).Skip(1).FirstOrDefault();
    }

    private static readonly JsonSerializerOptions Rows = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    private static Row InProcesses(string model, int count, string[] options)
    {
        List<Row> rows = [];
        for (var i = 0; i < count; i++)
        {
            using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!,
                [typeof(ManagedCommand).Assembly.Location, "managed", model, "--row", .. options]) { RedirectStandardOutput = true })!;
            var row = process.StandardOutput.ReadToEnd().Split('\n').FirstOrDefault(line => line.StartsWith('{'));
            rows.Add(JsonSerializer.Deserialize<Row>(row ?? "null", Rows) ?? throw new InvalidOperationException($"{model}: no result"));
            process.WaitForExit();
        }
        return rows[0] with
        {
            Ratio = Interleaved.Median(rows.Select(r => r.Ratio)), Microseconds = Interleaved.Median(rows.Select(r => r.Microseconds)),
            Load = Interleaved.Median(rows.Select(r => r.Load)),
        };
    }

    private static Row Measure(string name, string? integers, bool kernels, bool threads, KernelFit? fit)
    {
        ZooModel zoo = ZooModel.Open(name);
        ModelSource source = ModelSource.Open(zoo.Model, new Dictionary<string, long>());
        Model model = source.Simplified ?? source.Original;
        Dataset data = DataLoader.Open([zoo.Calibration], source.Interface, new(), "CalibrationData")!;
        if (integers is not null)
        {
            if (source.Simplified is null || Planned(source.Simplified, data, integers) is not { } made) return new(name, double.NaN, 0, 0, 0, $"{integers} leaves it as it is");
            model = made;
        }
        LoweringPlan chosen = ManagedLowering.Choose(source.Simplified ?? source.Original, data);
        if (!ManagedLowering.TryLower(model, new byte[32], chosen, out var artifact, out var why)) return new(name, double.NaN, 0, 0, 0, why);
        Sample sample = data[0];
        var path = Path.Combine(Path.GetTempPath(), $"managed-{Environment.ProcessId}.modelbuild");
        File.WriteAllBytes(path, artifact);
        var file = zoo.Model;
        if (integers is not null)
        {
            file = Path.ChangeExtension(path, ".onnx");
            File.WriteAllBytes(file, OnnxWriter.ToBytes(model));
        }
        try
        {
            ModelDescription description = DescriptionBuilder.Of(model.Graph, new byte[32]);
            var difference = Difference(file, source, path, description, sample, exact: integers is not null);
            using PreparedModel original = threads ? Open(1)
                : PreparedModel.Open(file, DescriptionBuilder.Of(source.Original.Graph), BackendRegistry.Find("onnxruntime")!, sample);
            using PreparedModel managed = Open(threads ? 2 : 1);
            // Two threads share their cores with tiered compilation until that has settled.
            var times = Interleaved.Measure([original.Call, managed.Call], Rounds, default, warmUp: threads ? 1500 : 200, limit: threads ? 6000 : 3000).Select(Interleaved.Median).ToArray();
            if (threads) Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"    two threads with nothing in common: {AtOnce(() => Open(1)) / times[0] / 2:0.00} a call"));
            if (kernels) KernelTimes.Print(path, description, sample, threads ? 2 : 1);
            if (fit is not null)
            {
                var symbols = KernelTimes.Symbols(description, sample);
                var dimensions = Enumerable.Range(0, symbols.Length).ToDictionary(i => description.Symbols[i], i => symbols[i]);
                fit.Add(path, description, sample, times[1] / times[0] * new OnnxRuntimeCostModel(dimensions, sample)
                    .Predict(CostTable.Load(BuiltInProfiles.ThisMachine.CostClass), source.Original, Artifact.Of(zoo.Model)));
                foreach (var recipe in (string[])["int8", "dynamic-int8"]) AddCalls(fit, source, data, recipe, path, description);
            }
            // The code that loads is compiled by now: what is left is what the model takes, mapped and unpacked, without its first call.
            var load = Interleaved.Median(Enumerable.Range(0, 5).Select(_ => Loading()));
            return new(name, times[1] / times[0], times[1] / 1e3, difference, artifact.Length, null, RatioCommand.Allocated(managed.Call), load);

            double Loading()
            {
                var start = Stopwatch.GetTimestamp();
                using LoadedModel loaded = Load(1);
                return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            }

            LoadedModel Load(int count) =>
                LoadedModel.FromArtifact(ModelArtifact.FromFile(path, ""), description, ManagedBackend.Instance, new() { Threads = count });

            PreparedModel Open(int count) => new(Load(count), description, sample);
        }
        catch (Exception e) when (e is ModelLoadException or ModelBuild.Compression.CompressionException or ArgumentException or IndexOutOfRangeException)
        {
            return new(name, double.NaN, 0, 0, 0, e.Message);
        }
        finally
        {
            File.Delete(path);
            if (integers is not null) File.Delete(file);
        }
    }

    // Nanoseconds of a call while another thread calls a model of its own.
    private static double AtOnce(Func<PreparedModel> open)
    {
        var times = new double[2];
        Thread[] both = [.. Enumerable.Range(0, 2).Select(i => new Thread(() =>
        {
            using PreparedModel model = open();
            times[i] = Interleaved.Median(Interleaved.Measure([model.Call], Rounds, default, limit: 1500)[0]);
        }))];
        foreach (Thread thread in both) thread.Start();
        foreach (Thread thread in both) thread.Join();
        return times.Average();
    }

    // Nanoseconds of a word to another thread and back: it tells whether the cores of both share a cache.
    private static double RoundTrip()
    {
        const int turns = 200_000;
        var ball = 0;
        Thread other = new(() =>
        {
            for (var i = 0; i < turns; i++)
            {
                while (Volatile.Read(ref ball) == 0) { }
                Volatile.Write(ref ball, 0);
            }
        });
        other.Start();
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < turns; i++)
        {
            Volatile.Write(ref ball, 1);
            while (Volatile.Read(ref ball) == 1) { }
        }
        other.Join();
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / turns;
    }

    // Kernels of integers, within the models that they run in.
    private static void AddCalls(KernelFit fit, ModelSource source, Dataset data, string recipe, string path, ModelDescription description)
    {
        if (source.Simplified is null || Planned(source.Simplified, data, recipe, new ManagedCosts(CostTable.Load("avx512vnni"), new Dictionary<string, long>())) is not { } model || !ManagedLowering.TryLower(model, new byte[32], null, out var artifact, out _))
            return;
        File.WriteAllBytes(path + ".fit", artifact);
        try
        {
            fit.Add(path + ".fit", description, data[0], null);
        }
        finally
        {
            File.Delete(path + ".fit");
        }
    }

    // Ranges of a few samples: the arithmetic is the same whatever they are.
    private static Model? Planned(Model simplified, Dataset data, string recipe, ICosts? costs = null)
    {
        Pipeline pipeline = new(new TechniqueRegistry(), simplified, (m, _, names) => Calibrator.Run(m, data.Subset([.. Enumerable.Range(0, Math.Min(data.Count, 8))]), names, 1));
        return pipeline.TryPlan(Recipe.Parse(recipe), BuiltInProfiles.Get("x64-avx512vnni"),
            costs ?? new OnnxRuntimeCosts(CostTable.Load("avx512vnni"), new Dictionary<string, long>()))?.Model;
    }

    private static double Difference(string file, ModelSource source, string path, ModelDescription description, Sample sample, bool exact)
    {
        using OnnxRuntimeRunner theirs = new(file);
        using ManagedRunner ours = new(path, description);
        var expected = theirs.Run(sample.Inputs);
        var actual = ours.Run(sample.Inputs);
        if (exact)
        {
            var interpreted = new Interpreter(ModelSource.Open(file, new Dictionary<string, long>()).Original).Run(sample.Inputs);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  from the interpreter: managed {Worst(source, interpreted, actual):0.0e0}, "
                + $"ONNX Runtime {Worst(source, interpreted, expected):0.0e0}"));
        }
        return Worst(source, expected, actual);
    }

    // The largest difference of an output over its largest value.
    private static double Worst(ModelSource source, IReadOnlyDictionary<string, Tensor> expected, IReadOnlyDictionary<string, Tensor> actual)
    {
        double worst = 0;
        foreach (Value output in source.Original.Graph.Outputs)
        {
            if (expected[output.Name].ElementType is not (ElementType.Float or ElementType.Float16))
            {
                if (!expected[output.Name].Bytes.Span.SequenceEqual(actual[output.Name].Bytes.Span)) worst = double.PositiveInfinity;
                continue;
            }
            float[] e = Floats(expected[output.Name]), a = Floats(actual[output.Name]);
            if (e.Length != a.Length) return double.NaN;
            double most = e.Length == 0 ? 0 : e.Max(MathF.Abs);
            for (var i = 0; i < e.Length; i++) worst = Math.Max(worst, e[i].Equals(a[i]) ? 0 : Math.Abs((double)e[i] - a[i]) / Math.Max(most, 1e-30));
        }
        return worst;
    }

    private static float[] Floats(Tensor tensor) =>
        tensor.ElementType == ElementType.Float16 ? [.. tensor.ToArray<Half>().Select(v => (float)v)] : tensor.ToArray<float>();
}
