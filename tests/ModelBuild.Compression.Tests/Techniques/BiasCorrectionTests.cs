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
    [SkippableTheory]
    [InlineData("cifar_resnet20", "int8(mse)", 64, 0.1)]
    [InlineData("mobilenet_v1_025", "int8(mse)+weights-int8", 48, 7)]
    [InlineData("mobilenet_v1_025", "weights-int8", 48, 10)]
    [InlineData("mobilenet_v1_025", "int8(mse,mixed)+weights-float16", 48, 8)]
    [InlineData("own_mnist_vit", "int8(mse)+weights-int8", 64, 0)]
    public void Corrected_biases_bring_answers_nearer_to_the_originals(string name, string recipe, int samples, double gain)
    {
        var subject = RepairSubject.Open(name, samples);
        var (plain, corrected) = (subject.Plan(recipe), subject.Plan(recipe + "+bias-correction"));
        var biases = (BiasCorrectionPlan)corrected.Plan.Steps[^1].Plan;
        var (before, after) = (subject.Sqnr(plain.Model, 100), subject.Sqnr(corrected.Model, 100));
        output.WriteLine($"{name} {recipe}: {before:0.0} dB, {after:0.0} with {biases.Biases.Count} biases corrected; "
            + $"{string.Join(", ", biases.Kept.Values.CountBy(v => v))}");
        Assert.True(after > before + gain, $"{before} dB, {after} dB corrected");
        // The file keeps its form: no node more but for layers that had no bias, and the integers of the weights are the same.
        Assert.Equal(Hashes(plain.Model), Hashes(corrected.Model));
        // Applied without data, in a new process, it gives the same bytes.
        subject.AppliesTheSameElsewhere(corrected);
    }

    private static SortedSet<string> Hashes(Model model) =>
        [.. model.Graph.Initializers.Where(i => i.Constant!.ElementType == ElementType.Int8)
            .Select(i => Convert.ToHexStringLower(SHA256.HashData(i.Constant!.Bytes.Span)))];

    [SkippableFact]
    public void Without_samples_to_hold_out_nothing_is_corrected()
    {
        Assert.Single(RepairSubject.Open("cifar_resnet20", 3).Plan("int8(mse)+bias-correction").Plan.Steps);
    }

    [SkippableFact, Trait("Tier", "Ci")]
    public void What_could_ship_is_repaired_and_the_nearer_one_ships()
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var zoo = ZooModel.Open("mobilenet_v1_025");
        var options = new CompressionOptions { Profiles = [RepairSubject.Profile], CalibrationData = [zoo.Calibration], EvaluationData = [zoo.Evaluation], Measure = false };
        var source = ModelSource.Open(zoo.Model, new Dictionary<string, long>());
        using var compressor = new Compressor(source, options, ["managed", "onnxruntime"], new byte[32], new TechniqueRegistry(), _ => { }, default);
        var outcome = compressor.Choose(RepairSubject.Profile);
        var chosen = outcome.Chosen.Candidate;
        Assert.EndsWith("+refit", chosen.Recipe, StringComparison.Ordinal);
        var plain = outcome.Candidates.Single(c => c.Candidate.Recipe == chosen.Recipe[..^"+refit".Length]);
        Assert.Contains("nearer to the original", plain.Why, StringComparison.Ordinal);
        Assert.Contains(outcome.Candidates, c => c.Candidate.Recipe == plain.Candidate.Recipe + "+bias-correction");
        Assert.False(plain.Accepted);
        double Noise(Candidate c) => c.Choose!.All.Where(r => r.Metric == "sqnr").Sum(r => r.Loss);
        output.WriteLine($"{Noise(plain.Candidate)} without, {Noise(chosen)} with");
        Assert.True(Noise(chosen) < 0.6 * Noise(plain.Candidate), $"{Noise(plain.Candidate)} without, {Noise(chosen)} with");
        Assert.Equal(outcome.Chosen.Latency, plain.Latency);
        Assert.InRange(chosen.Artifact.Length, 1, (long)(plain.Candidate.Artifact.Length * 1.05) + 1000);
        // A corrected form that is larger than the item allows is not taken.
        Assert.True(chosen.Artifact.Length > plain.Candidate.Artifact.Length);
        using var bounded = new Compressor(source, options with { MaxSize = plain.Candidate.Artifact.Length }, ["onnxruntime"], new byte[32], new(), _ => { }, default);
        Assert.InRange(bounded.Choose(RepairSubject.Profile).Chosen.Candidate.Artifact.Length, 1, plain.Candidate.Artifact.Length);
    }
}
