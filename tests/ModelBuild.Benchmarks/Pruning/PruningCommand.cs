using System.Diagnostics;
using System.Globalization;
using ModelBuild.Compiler.Measuring;
using ModelBuild.Compression;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Calibration;
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
/// What pruning makes of the zoo's models without training, alone and combined: multiply-adds, weights, accuracy on evaluation data, and time on both backends
/// over the original's in ONNX Runtime, interleaved in one process on one pinned thread. Planned for x64-avx2 (vectors of 8 channels), as the references are.
/// <c>--recipe R</c>, as often as wanted, takes these instead of the table's own; <c>--write</c> writes docs/results/pruning.md.
/// </summary>
internal static class PruningCommand
{
    private const int Rounds = 25;

    private static readonly string[] Models = ["cifar_resnet20", "kws_dscnn", "own_mnist_cnn_bn", "mobilenet_v1_025", "mobilenet_v2", "vww_96", "ultraface",
        "own_mnist_mlp", "own_mnist_vit", "own_mnist_lstm", "autoencoder", "minilm_l3", "forecast_gru"];

    // First what is lossless; then every criterion with and without the refit, what may be chosen from all layers, thin matrices, and both with integers.
    private static readonly string[] Recipes = ["simplify", "prune-filters(0.3,norm)", "prune-filters(0.3,norm)+refit", "prune-filters(0.3,activation)",
        "prune-filters(0.3,activation)+refit", "prune-filters(0.3)", "prune-filters(0.3)+refit", "prune-filters(0.1,global)+refit",
        "prune-filters(0.2,global)+refit", "prune-filters(0.3,global)+refit", "prune-filters(0.45,global)+refit", "prune-filters(0.45,global,sums)+refit",
        "low-rank(0.8)", "low-rank(0.5,plain)", "low-rank(0.5)", "low-rank(0.5)+refit", "prune-filters(0.2,global)+low-rank(0.7)+refit",
        "prune-filters(0.2,global)+refit+int8"];

    public static int Run(IReadOnlyList<string> arguments)
    {
        if (SharedFolder.Zoo is null)
        {
            Console.Error.WriteLine("the models of docs/zoo.md are not here");
            return 1;
        }
        List<string> models = [], recipes = [];
        for (var i = 0; i < arguments.Count; i++)
        {
            if (arguments[i] == "--recipe" && i + 1 < arguments.Count) recipes.Add(arguments[++i]);
            else if (!arguments[i].StartsWith("--", StringComparison.Ordinal)) models.Add(arguments[i]);
        }
        OnnxRuntimeBackend.Register();
        Cores.PinToOne();
        List<string> lines = [];
        foreach (var model in models.Count > 0 ? models : (IReadOnlyList<string>)Models)
            foreach (var line in Rows(model, recipes.Count > 0 ? recipes : (IReadOnlyList<string>)Recipes))
            {
                Console.WriteLine(line);
                lines.Add(line);
            }
        if (arguments.Contains("--write"))
            ResultsFile.Replace("pruning", ["Multiply-adds, weights and size over the original's. Loss by the deciding metric, top1, agreement and SQNR on all of the evaluation "
                + "data, on the output where they are worst. Time with ONNX Runtime / on the managed backend.", "", "| model | recipe | multiply-adds | weights | size | loss | top1 | agreement | SQNR | time | planned in |",
                "|---|---|---:|---:|---:|---|---:|---:|---:|---:|---:|", .. lines], "pruning --write", "the artifact over the original in ONNX Runtime");
        return 0;
    }

    private static IEnumerable<string> Rows(string name, IReadOnlyList<string> recipes)
    {
        ZooModel zoo = ZooModel.Open(name);
        ModelSource source = ModelSource.Open(zoo.Model, new Dictionary<string, long>());
        HardwareProfile profile = BuiltInProfiles.Get("x64-avx2");
        CompressionOptions options = new()
        {
            Profiles = [profile], CalibrationData = [zoo.Calibration], EvaluationData = [zoo.Evaluation], MetricOutputs = zoo.MetricOutputs,
        };
        using OnnxRuntimeRunner original = new(zoo.Model);
        var judgement = Judgement.Of(source, options, original, (_, _, _) => { }, default);
        Dataset data = judgement.Data.Calibrate!;
        Sample sample = data[0];
        var dimensions = source.Simplified!.Graph.Inputs.SelectMany(i => i.Type!.Shape.Zip(sample.Inputs[i.Name].Shape))
            .Where(p => !p.First.IsConstant).DistinctBy(p => p.First.ToString()).ToDictionary(p => p.First.ToString(), p => p.Second);
        Pipeline pipeline = new(new TechniqueRegistry(), source.Simplified!, (model, _, names) => Calibrator.Run(model, data, names, 1), source.SimplifiedAsWritten,
            new(data, new() { Threads = 1 }), new(original, data, judgement.Selection!, default));
        ICosts costs = CompilerBackends.Reference.CostsOver(dimensions, sample).By(CostTable.Load(profile.CostClass));
        var whole = source.Original.Clone();
        ShapeInference.Run(whole);
        var (allWork, allWeights) = Work(whole, dimensions);
        // The whole of the evaluation data: nothing is chosen by it here.
        Dataset evaluation = DataLoader.Open([zoo.Evaluation], source.Interface, new(), "EvaluationData")!;
        ReferenceAnswers reference = new(original, evaluation, judgement.Selection!.Judged);
        var folder = Directory.CreateTempSubdirectory("pruning");
        try
        {
            foreach (var recipe in recipes)
            {
                var clock = Stopwatch.StartNew();
                Planned? planned;
                try
                {
                    planned = pipeline.TryPlan(Recipe.Parse(recipe), profile, costs);
                }
                catch (Exception e) when (e is CompressionException or OnnxException)
                {
                    planned = null;
                    Console.Error.WriteLine($"{name}, {recipe}: {e.Message}");
                }
                // Steps that find nothing to do are left out of the plan: it is another recipe's.
                if (planned is null || planned.Plan.Steps.Count != Recipe.Parse(recipe).Steps.Count)
                    continue;
                var seconds = clock.Elapsed.TotalSeconds;
                var path = Path.Combine(folder.FullName, "pruned.onnx");
                OnnxWriter.Write(planned.Model, path);
                using OnnxRuntimeRunner runner = new(path);
                var result = Evaluation.Run(reference, runner, judgement.Selection!);
                var (work, weights) = Work(planned.Model, dimensions);
                var (ort, managed) = Times(zoo, source, path, planned.Model, sample);
                yield return string.Create(CultureInfo.InvariantCulture, $"| {name} | {recipe} | {work / allWork:0.000} | {weights / allWeights:0.000} | "
                    + $"{(double)new FileInfo(path).Length / source.Artifact.Length:0.000} | {result.Deciding.Metric} {result.Deciding.Loss:0.0000} | "
                    + $"{Worst(result, "top1"):0.0000} | {Worst(result, "agreement"):0.000} | {Worst(result, Sqnr.MetricName):0.0} | "
                    + $"{ort:0.00} / {managed:0.00} | {seconds:0.0} s |");
            }
        }
        finally
        {
            folder.Delete(true);
        }
    }

    /// <summary>Multiply-adds of a call, and elements of weights.</summary>
    private static (double MultiplyAdds, double Weights) Work(Model model, IReadOnlyDictionary<string, long> dimensions)
    {
        TypicalSizes sizes = new(dimensions);
        return (model.Nodes.Sum(sizes.MultiplyAdds),
            model.Graph.Initializers.Where(static i => i.Constant is { Rank: >= 2 }).Sum(static i => (double)i.Constant!.Length));
    }

    private static (double OnnxRuntime, double Managed) Times(ZooModel zoo, ModelSource source, string path, Model pruned, Sample sample)
    {
        var description = DescriptionBuilder.Of(pruned.Graph, new byte[32]);
        var artifact = Path.ChangeExtension(path, ".modelbuild");
        var lowered = ManagedLowering.TryLower(pruned, new byte[32], null, out var bytes, out _);
        if (lowered) File.WriteAllBytes(artifact, bytes!);
        var runtime = BackendRegistry.Find("onnxruntime")!;
        using PreparedModel original = PreparedModel.Open(zoo.Model, DescriptionBuilder.Of(source.Original.Graph), runtime, sample);
        using PreparedModel other = PreparedModel.Open(path, DescriptionBuilder.Of(pruned.Graph), runtime, sample);
        using PreparedModel? managed = lowered ? PreparedModel.Open(artifact, description, BackendRegistry.Find("managed")!, sample) : null;
        var times = Interleaved.Measure([original.Call, other.Call, .. managed is null ? (Action[])[] : [managed.Call]], Rounds, default, limit: 1500);
        return (Ratio(1), managed is null ? double.NaN : Ratio(2));

        double Ratio(int i) => Interleaved.Median(times[i].Zip(times[0], (own, whole) => own / whole));
    }

    private static double? Worst(EvaluationResult result, string metric) => PeersCommand.Worst(result, metric, static r => r.Compressed);
}
