using System.Security.Cryptography;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;
using ModelBuild.Zoo;
using Xunit.Abstractions;

namespace ModelBuild.Compression.Tests.Techniques;

/// <summary>Biases corrected layer by layer bring real quantized models nearer to the originals, on data that nothing was taken of.</summary>
public sealed class BiasCorrectionTests(ITestOutputHelper output)
{
    private static readonly HardwareProfile Profile = BuiltInProfiles.Get("x64-avx512vnni");

    private static readonly OnnxRuntimeCosts Costs = new(CostTable.Load("avx512vnni"), new Dictionary<string, long>());

    private sealed record Subject(ZooModel Zoo, ModelSource Source, TechniqueRegistry Techniques, Compression.Planning.Pipeline Pipeline)
    {
        public Planned Plan(string recipe) => Pipeline.TryPlan(Recipe.Parse(recipe), Profile, Costs)!;
    }

    private static Subject Open(string name, int samples)
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var zoo = ZooModel.Open(name);
        var source = ModelSource.Open(zoo.Model, new Dictionary<string, long>());
        var data = DataLoader.Open([zoo.Calibration], source.Interface, new(), "CalibrationData")!;
        data = data.Subset([.. Enumerable.Range(0, Math.Min(samples, data.Count))]);
        var techniques = new TechniqueRegistry();
        return new(zoo, source, techniques, new(techniques, source.Simplified!, (model, _, names) => Calibrator.Run(model, data, names, 1),
            layers: new(data, new())));
    }

    /// <summary>Signal to noise of a model's first output against the source's on evaluation data, in dB.</summary>
    private static double Sqnr(Subject subject, Model model, int samples)
    {
        var data = DataLoader.Open([subject.Zoo.Evaluation], subject.Source.Interface, new(), "EvaluationData")!;
        using var there = OnnxRuntimeRunner.Unoptimized(subject.Source.Simplified!, 1);
        using var here = OnnxRuntimeRunner.Unoptimized(model, 1);
        var (signal, noise) = (0.0, 0.0);
        foreach (var sample in data.Subset([.. Enumerable.Range(0, Math.Min(samples, data.Count))]).Samples())
            foreach (var (w, g) in there.Run(sample.Inputs).Values.First().ToArray<float>().Zip(here.Run(sample.Inputs).Values.First().ToArray<float>()))
                (signal, noise) = (signal + (double)w * w, noise + ((double)w - g) * ((double)w - g));
        return 10 * Math.Log10(signal / noise);
    }

    [SkippableTheory]
    [InlineData("cifar_resnet20", "int8(mse)", 64, 0.1)]
    [InlineData("mobilenet_v1_025", "int8(mse)+weights-int8", 48, 7)]
    [InlineData("mobilenet_v1_025", "weights-int8", 48, 10)]
    [InlineData("mobilenet_v1_025", "int8(mse,mixed)+weights-float16", 48, 8)]
    [InlineData("own_mnist_vit", "int8(mse)+weights-int8", 64, 0)]
    public void Corrected_biases_bring_answers_nearer_to_the_originals(string name, string recipe, int samples, double gain)
    {
        var subject = Open(name, samples);
        var (plain, corrected) = (subject.Plan(recipe), subject.Plan(recipe + "+bias-correction"));
        var biases = (BiasCorrectionPlan)corrected.Plan.Steps[^1].Plan;
        var (before, after) = (Sqnr(subject, plain.Model, 100), Sqnr(subject, corrected.Model, 100));
        output.WriteLine($"{name} {recipe}: {before:0.0} dB, {after:0.0} with {biases.Biases.Count} biases corrected; "
            + $"{string.Join(", ", biases.Kept.Values.CountBy(v => v))}");
        Assert.True(after > before + gain, $"{before} dB, {after} dB corrected");
        // The file keeps its form: no node more but for layers that had no bias, and the integers of the weights are the same.
        Assert.Equal(Hashes(plain.Model), Hashes(corrected.Model));
        // Applied without data, in a new process, it gives the same bytes.
        using var folder = new TemporaryFolder();
        var (plan, file, tensors) = (folder.File("plan.json"), folder.File("plan.tensors"), new PlanTensors());
        File.WriteAllText(plan, corrected.Plan.ToJson(subject.Techniques, tensors));
        File.WriteAllBytes(file, tensors.ToBytes());
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(OnnxWriter.ToBytes(corrected.Model))), ApplyInChild.Run(subject.Zoo.Model, plan, file));
    }

    private static SortedSet<string> Hashes(Model model) =>
        [.. model.Graph.Initializers.Where(i => i.Constant!.ElementType == ElementType.Int8)
            .Select(i => Convert.ToHexStringLower(SHA256.HashData(i.Constant!.Bytes.Span)))];

    [SkippableFact]
    public void Without_samples_to_hold_out_nothing_is_corrected()
    {
        Assert.Single(Open("cifar_resnet20", 3).Plan("int8(mse)+bias-correction").Plan.Steps);
    }

    [SkippableFact, Trait("Tier", "Ci")]
    public void What_could_ship_is_repaired_and_the_nearer_one_ships()
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var zoo = ZooModel.Open("mobilenet_v1_025");
        var options = new CompressionOptions { Profiles = [Profile], CalibrationData = [zoo.Calibration], EvaluationData = [zoo.Evaluation], Measure = false };
        var source = ModelSource.Open(zoo.Model, new Dictionary<string, long>());
        using var compressor = new Compressor(source, options, ["managed", "onnxruntime"], new byte[32], new TechniqueRegistry(), _ => { }, default);
        var outcome = compressor.Choose(Profile);
        var chosen = outcome.Chosen.Candidate;
        Assert.EndsWith("+bias-correction", chosen.Recipe, StringComparison.Ordinal);
        var plain = outcome.Candidates.Single(c => c.Candidate.Recipe == chosen.Recipe[..^"+bias-correction".Length]);
        Assert.Contains("nearer to the original", plain.Why, StringComparison.Ordinal);
        Assert.False(plain.Accepted);
        double Noise(Candidate c) => c.Choose!.All.Where(r => r.Metric == "sqnr").Sum(r => r.Loss);
        output.WriteLine($"{Noise(plain.Candidate)} without, {Noise(chosen)} with");
        Assert.True(Noise(chosen) < 0.6 * Noise(plain.Candidate), $"{Noise(plain.Candidate)} without, {Noise(chosen)} with");
        Assert.Equal(outcome.Chosen.Latency, plain.Latency);
        Assert.InRange(chosen.Artifact.Length, 1, (long)(plain.Candidate.Artifact.Length * 1.05) + 1000);
        // A corrected form that is larger than the item allows is not taken.
        Assert.True(chosen.Artifact.Length > plain.Candidate.Artifact.Length);
        using var bounded = new Compressor(source, options with { MaxSize = plain.Candidate.Artifact.Length }, ["onnxruntime"], new byte[32], new(), _ => { }, default);
        Assert.InRange(bounded.Choose(Profile).Chosen.Candidate.Artifact.Length, 1, plain.Candidate.Artifact.Length);
    }
}
