using System.Diagnostics;
using System.Globalization;
using ModelBuild.Compiler.Measuring;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Onnx;
using ModelBuild.Zoo;

namespace ModelBuild.Benchmarks;

/// <summary>
/// The command <c>layers</c>: what it costs to hand every layer of a model, quantized to int8, its pairs from the changed and the original model and to
/// correct its bias, against a plain calibration pass over the same samples; and what memory it takes with few and many samples, few and all layers, each in a
/// process of its own.
/// </summary>
internal static class LayersCommand
{
    private const string Model = "mobilenet_v1_025";

    // So small that even the fewest samples do not fit.
    private const long MemoryBound = 32 << 20;

    // What the garbage collector may take in processes whose memory is looked at: it would rather let garbage lie than collect.
    private const long HeapLimit = 80 << 20;

    private const int Rounds = 7;

    public static int Run(string[] arguments)
    {
        if (SharedFolder.Zoo is null)
        {
            Console.Error.WriteLine("layers: the models of docs/zoo.md are not here");
            return 2;
        }
        switch (arguments)
        {
            case ["walk", string samples, string every]:
                return Walk(int.Parse(samples, CultureInfo.InvariantCulture), int.Parse(every, CultureInfo.InvariantCulture));
            case [] or ["--write"]:
                return Table(arguments.Length > 0);
            default:
                Console.Error.WriteLine("layers [--write]");
                return 2;
        }
    }

    private static int Table(bool write)
    {
        Cores.PinToOne();
        Subject subject = new();
        Dataset data = subject.Data(64);
        string[] names = [.. subject.Tensors];
        LayerWalkResult result = null!;
        List<double>[] times = [[], []];
        Action[] actions = [() => Calibrator.Run(subject.Original, data, names, 1), () => result = subject.Correct(data, 1, new())];
        for (var round = -1; round < Rounds; round++)
        {
            for (var a = 0; a < actions.Length; a++)
            {
                var start = Stopwatch.GetTimestamp();
                actions[a]();
                // The first round is for caches and tiered compilation.
                if (round >= 0) times[a].Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
        }
        double calibration = Median(times[0]), walk = Median(times[1]);
        List<double> ratios = [.. times[0].Zip(times[1], (c, w) => w / c).Order()];
        List<string> table =
        [
            "| work | samples | layers | time or ratio | store: peak in memory | store: peak on disk | peak memory of the process |",
                "|---|---:|---:|---:|---:|---:|---:|",
            string.Create(CultureInfo.InvariantCulture, $"| {Model}: calibration of {names.Length} tensors | {data.Count} | | {calibration:0} ms | | | |"),
            string.Create(CultureInfo.InvariantCulture,
                $"| {Model}: all layers' pairs, and biases corrected | {result.Samples} | {subject.Layers.Count} | {walk:0} ms | "
                + $"{result.PeakMemory / 1e6:0.0} MB | {result.PeakDisk / 1e6:0.0} MB | |"),
            string.Create(CultureInfo.InvariantCulture,
                $"| walk over calibration, round by round: lowest, median, highest of {Rounds} | | | {ratios[0]:0.00}, {ratios[ratios.Count / 2]:0.00}, "
                + $"{ratios[^1]:0.00} | | | |"),
        ];
        foreach ((var samples, var every) in new[] { (64, 1), (256, 1), (1024, 1), (64, 4), (256, 4) })
            table.Add(Child(samples, every));
        foreach (var line in table) Console.WriteLine(line);
        if (write) ResultsFile.Replace("layers", table, "layers --write", "a walk over a calibration pass, in one process, in turn");
        return 0;
    }

    private static double Median(IEnumerable<double> values) => Compression.Execution.Interleaved.Median(values);

    private static string Child(int samples, int every)
    {
        string[] arguments = ["layers", "walk", samples.ToString(CultureInfo.InvariantCulture), every.ToString(CultureInfo.InvariantCulture)];
        string[] own = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(LayersCommand).Assembly.Location] : [];
        ProcessStartInfo start = new(Environment.ProcessPath!, [.. own, .. arguments]) { RedirectStandardOutput = true };
        start.Environment["DOTNET_GCHeapHardLimit"] = string.Create(CultureInfo.InvariantCulture, $"0x{HeapLimit:x}");
        using Process process = Process.Start(start)!;
        var line = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        return process.ExitCode == 0 ? line : throw new InvalidOperationException($"'{string.Join(' ', arguments)}' ended with {process.ExitCode}");
    }

    private static int Walk(int samples, int every)
    {
        Subject subject = new();
        var start = Stopwatch.GetTimestamp();
        LayerWalkResult result = subject.Correct(subject.Data(samples), every, new() { MemoryBound = MemoryBound });
        var milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        using Process process = Process.GetCurrentProcess();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {Model}: at most {MemoryBound >> 20} MB of activations in memory, heap of {HeapLimit >> 20} MB | {result.Samples} | "
                + $"{(subject.Layers.Count + every - 1) / every} | {milliseconds:0} ms | {result.PeakMemory / 1e6:0.0} MB | {result.PeakDisk / 1e6:0.0} MB "
                + $"| {process.PeakWorkingSet64 >> 20} MB |"));
        return 0;
    }

    /// <summary>The model, what int8 makes of it, and its data.</summary>
    private sealed class Subject
    {
        private readonly Dataset _data;
        private readonly Model _changed;

        public Subject()
        {
            ZooModel zoo = ZooModel.Open(Model);
            ModelSource source = ModelSource.Open(zoo.Model, new Dictionary<string, long>());
            Original = source.Simplified!;
            _data = DataLoader.Open([zoo.Calibration], source.Interface, new(), "CalibrationData")!;
            Pipeline pipeline = new(new TechniqueRegistry(), Original, (model, _, names) => Calibrator.Run(model, _data, names, 1));
            OnnxRuntimeCosts costs = new(CostTable.Load("avx512vnni"), new Dictionary<string, long>());
            Planned planned = pipeline.TryPlan(Recipe.Parse("int8(minmax)"), BuiltInProfiles.Get("x64-avx512vnni"), costs)!;
            _changed = planned.Model;
            StaticInt8Plan plan = (StaticInt8Plan)planned.Plan.Steps[0].Plan;
            Tensors = plan.Tensors.Keys;
            HashSet<string> weighted = [.. plan.Layers.Where(l => l.WeightLimit is not null).Select(l => l.Layer.Key)];
            Layers = [.. Original.Graph.Nodes.Where(n => weighted.Contains(n.Key))
                .Select(n => new LayerTarget(_changed.Graph.Nodes.Single(c => c.Id == n.Id).Key, new(n.Key)))];
        }

        public Model Original { get; }

        /// <summary>The tensors that int8 calibrates.</summary>
        public IReadOnlyCollection<string> Tensors { get; }

        /// <summary>The layers with weights.</summary>
        public IReadOnlyList<LayerTarget> Layers { get; }

        /// <summary>So many samples: the model's own, over and over.</summary>
        public Dataset Data(int count) => _data.Subset([.. Enumerable.Range(0, count).Select(i => i % _data.Count)]);

        /// <summary>Corrects the biases of each so-manieth layer, 32-bit integers behind a DequantizeLinear.</summary>
        public LayerWalkResult Correct(Dataset data, int every, LayerWalkOptions options) =>
            LayerWalk.Run(Original, _changed, data, [.. Layers.Where((_, i) => i % every == 0)], visit =>
        {
            ChannelMeans means = new(visit.Node.Is("Conv") ? 1 : -1);
            foreach (LayerPair pair in visit.Pairs()) means.Add(pair);
            if (visit.Node.Input(2)?.Producer is not { } bias) return;
            var scales = bias.Inputs[1]!.Constant!.ToArray<float>();
            int[] corrected = [.. bias.Inputs[0]!.Constant!.ToArray<int>().Select((b, c) => (int)Math.Round(b + means.Means[c] / scales[c]))];
            bias.SetInput(0, visit.Node.Graph.AddInitializer("corrected", Tensor.Vector(corrected)));
        }, options);
    }
}
