using System.Text.Json;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Onnx;
using ModelBuild.Zoo;

namespace ModelBuild.Benchmarks;

/// <summary>
/// Cost tables. That of this machine's class, whose keys <c>modelbuild profiles --measure</c> measured one operator at a time, is scaled so that whole models'
/// latencies come near those measured here. Those of classes that were not at hand are estimates. AVX2: the measured table of avx512vnni, each key scaled so
/// that the models' latencies come near those that other tools' measurements (peers, docs/zoo.md) gave for an AVX2-only machine. The others follow from these
/// two by stated factors. All are marked as estimates.
/// </summary>
internal static class CostEstimates
{
    // Pulls the factors of keys about which the latencies say little towards the mean factor.
    private const double Ridge = 0.02;

    private static readonly string[] Models =
    [
        "own_mnist_mlp", "own_mnist_cnn", "own_mnist_cnn_bn", "own_mnist_lstm", "own_mnist_vit", "mnist8", "kws_dscnn", "cifar_resnet20", "autoencoder",
            "hand_keypoint",
        "mobilenet_v1_025", "mobilenet_v2", "vww_96", "efficientnet_lite0",
    ];

    public static int Run(string folder)
    {
        var peers = Path.Combine(SharedFolder.Zoo ?? throw new DirectoryNotFoundException("the models of docs/zoo.md"), "..", "peers", "results.json");
        using JsonDocument results = JsonDocument.Parse(File.ReadAllText(peers));
        CostTable measured = CostTable.Load("avx512vnni");
        if (CpuFeatureDetection.Class == measured.CpuClass && measured.Version == 1)
        {
            measured = Calibrated(measured);
            Write(folder, measured);
        }
        List<(IReadOnlyDictionary<string, double> Costs, double Nanoseconds, string Name)> floats = [], integers = [];
        foreach (var name in Models)
        {
            ZooModel zoo = ZooModel.Open(name);
            ModelSource source = ModelSource.Open(zoo.Model, new Dictionary<string, long>());
            OnnxRuntimeCosts model = new(measured, new Dictionary<string, long>());
            foreach (JsonElement record in results.RootElement.EnumerateArray())
            {
                if (record.GetProperty("model").GetString() != name || !record.TryGetProperty("latency", out JsonElement latency)
                    || latency.ValueKind != JsonValueKind.Object) continue;
                var setting = $"{record.GetProperty("tool").GetString()}-{record.GetProperty("setting").GetString()}";
                if (setting is not ("ort-static-minmax-rr" or "ort-dynamic-noconv" or "ort-dynamic")) continue;
                var original = latency.GetProperty("original_ms").GetDouble() * 1e6;
                if (floats.All(f => f.Name != name)) floats.Add((model.PerKey(source.Simplified!.Graph), original, name));
                var recipe = setting == "ort-static-minmax-rr" ? "int8" : "dynamic-int8";
                var hasConv = source.Simplified!.Graph.Nodes.Any(n => n.Is("Conv"));
                // Dynamic quantization of convolutions is not among our candidates.
                if (setting == "ort-dynamic" && hasConv) continue;
                if (Plan(zoo, source, recipe) is not { } graph) continue;
                integers.Add((model.PerKey(graph), latency.GetProperty("ratio").GetDouble() * original, $"{name} {recipe}"));
            }
        }
        Dictionary<string, double> factors = Fit(floats, []);
        factors = Fit(integers, factors);
        foreach (var (costs, nanoseconds, name) in floats.Concat(integers))
            Console.WriteLine($"{name,-32} {nanoseconds / 1000,10:0.0} us, estimated {costs.Sum(c => c.Value * factors[c.Key]) / 1000,10:0.0} us");
        Console.WriteLine(string.Join('\n', factors.Select(f => $"{f.Key,-40} {f.Value:0.00}")));

        CostTable avx2 = Scaled(measured, "avx2", "avx512vnni scaled to latencies measured on an AVX2-only CPU (peers, docs/zoo.md); managed keys by 1.5",
            key => factors.GetValueOrDefault(key, key.StartsWith("managed", StringComparison.Ordinal) ? 1.5 : Mean(factors)));
        Write(folder, avx2);
        Write(folder, Scaled(avx2, "avxvnni", "avx2 with integer products at 0.85", key => IsIntegerProduct(key) ? 0.85 : 1));
        Write(folder, Scaled(measured, "avx512", "avx512vnni with integer products at 1.6", key => IsIntegerProduct(key) ? 1.6 : 1));
        Write(folder, Scaled(avx2, "arm64", "avx2 at 1.3", _ => 1.3));
        Write(folder, Scaled(avx2, "wasm-simd", "avx2 at 3", _ => 3));
        return 0;
    }

    /// <summary>The table with each key scaled so that predictions come near the latencies of whole models, float and quantized, on this machine.</summary>
    private static CostTable Calibrated(CostTable table)
    {
        List<(IReadOnlyDictionary<string, double> Costs, double Nanoseconds, string Name)> floats = [], integers = [];
        OnnxRuntimeCosts model = new(table, new Dictionary<string, long>());
        foreach (var name in Models)
        {
            ZooModel zoo = ZooModel.Open(name);
            ModelSource source = ModelSource.Open(zoo.Model, new Dictionary<string, long>());
            floats.Add((model.PerKey(source.Simplified!.Graph), Latency.Of(source.Simplified), name));
            foreach (var recipe in new[] { "int8", "dynamic-int8" })
                if (Plan(zoo, source, recipe) is { } graph) integers.Add((model.PerKey(graph), Latency.Of(graph.Model), $"{name} {recipe}"));
        }
        Dictionary<string, double> factors = Fit(integers, Fit(floats, []));
        foreach (var (costs, nanoseconds, name) in floats.Concat(integers))
            Console.WriteLine($"{name,-32} {nanoseconds / 1000,10:0.0} us here, {costs.Sum(c => c.Value) / 1000,10:0.0} us operator by operator, "
                + $"{costs.Sum(c => c.Value * factors[c.Key]) / 1000,10:0.0} us by the table");
        return Scaled(table, table.CpuClass, table.Source + "; keys scaled to whole models' latencies by the benchmark project's command 'tables'",
            key => factors.GetValueOrDefault(key, 1)) with { Kind = "measured", Version = table.Version + 1 };
    }

    private static Graph? Plan(ZooModel zoo, ModelSource source, string recipe)
    {
        Dataset data = DataLoader.Open([zoo.Calibration], source.Interface, new(), "CalibrationData")!.Subset([0, 1]);
        Pipeline pipeline = new(new TechniqueRegistry(), source.Simplified!,
            (_, _, names) => Compression.Calibration.Calibrator.Run(source.Simplified!, data, names, 1));
        return pipeline.TryPlan(Recipe.Parse(recipe), BuiltInProfiles.Get("x64-avx2"),
            new OnnxRuntimeCosts(CostTable.Load("avx2"), new Dictionary<string, long>()))?.Model.Graph;
    }

    /// <summary>Factors of keys with the least squared relative error, none below 0.2; those of known keys stay (coordinate descent).</summary>
    private static Dictionary<string, double> Fit(List<(IReadOnlyDictionary<string, double> Costs, double Nanoseconds, string Name)> points, Dictionary<string,
        double> known)
    {
        Dictionary<string, double> factors = new(known, StringComparer.Ordinal);
        List<string> free = [.. points.SelectMany(p => p.Costs.Keys).Distinct().Where(k => !known.ContainsKey(k))];
        foreach (var key in free) factors[key] = 1.5;
        for (var round = 0; round < 2000; round++)
        {
            var mean = free.Average(k => factors[k]);
            foreach (var key in free)
            {
                double up = Ridge * mean, down = Ridge;
                foreach (var (costs, nanoseconds, _) in points)
                {
                    if (!costs.TryGetValue(key, out var own)) continue;
                    var rest = nanoseconds - costs.Where(c => c.Key != key).Sum(c => c.Value * factors[c.Key]);
                    up += own * rest / (nanoseconds * nanoseconds);
                    down += own * own / (nanoseconds * nanoseconds);
                }
                factors[key] = Math.Clamp(up / down, 0.2, 6);
            }
        }
        return factors;
    }

    private static double Mean(Dictionary<string, double> factors) => factors.Values.Average();

    private static bool IsIntegerProduct(string key) => key.EndsWith("int8", StringComparison.Ordinal)
        && !key.Contains("elementwise", StringComparison.Ordinal) && !key.Contains("pool", StringComparison.Ordinal);

    private static CostTable Scaled(CostTable table, string cpuClass, string source, Func<string, double> factor) => table with
    {
        CpuClass = cpuClass,
        Kind = "estimate",
        Source = source,
        Planning = ScaledBy(table.Planning, factor),
        Costs = ScaledBy(table.Costs, factor),
    };

    private static SortedDictionary<string, OperatorCost> ScaledBy(SortedDictionary<string, OperatorCost> costs, Func<string, double> factor) =>
        new(costs.ToDictionary(c => c.Key,
            c => new OperatorCost(Math.Round(c.Value.Overhead * factor(c.Key), 1), Math.Round(c.Value.PerUnit * factor(c.Key), 6),
            Math.Round(c.Value.PerOutput * factor(c.Key), 5), Math.Round(c.Value.PerGathered * factor(c.Key), 5),
            Math.Round(c.Value.PerWeight * factor(c.Key), 6)), StringComparer.Ordinal), StringComparer.Ordinal);

    private static void Write(string folder, CostTable table) => File.WriteAllText(Path.Combine(folder, $"{table.CpuClass}.json"), table.ToJson() + "\n");
}
