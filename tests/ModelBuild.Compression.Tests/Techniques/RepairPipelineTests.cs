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

/// <summary>Pruning, int8 on what it leaves, and biases corrected layer by layer, on a real model.</summary>
public sealed class RepairPipelineTests(ITestOutputHelper output)
{
    private static readonly HardwareProfile Profile = BuiltInProfiles.Get("x64-avx512vnni");

    private static readonly OnnxRuntimeCosts Costs = new(CostTable.Load("avx512vnni"), new Dictionary<string, long>());

    private readonly TechniqueRegistry _techniques = ApplyInChild.Techniques();

    /// <summary>A model of the zoo and its pipeline.</summary>
    private sealed record Subject(ZooModel Zoo, ModelSource Source, Dataset Calibration, Compression.Planning.Pipeline Pipeline)
    {
        public Planned Plan(string recipe) => Pipeline.TryPlan(Recipe.Parse(recipe), Profile, Costs)!;
    }

    private Subject Open(string name)
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var zoo = ZooModel.Open(name);
        var source = ModelSource.Open(zoo.Model, new Dictionary<string, long>());
        var data = DataLoader.Open([zoo.Calibration], source.Interface, new(), "CalibrationData")!.Subset([.. Enumerable.Range(0, 48)]);
        return new(zoo, source, data, new(_techniques, source.Simplified!, (model, _, names) => Calibrator.Run(model, data, names, 1),
            layers: new(data, new())));
    }

    /// <summary>The signal to noise ratio of a model's first output against another's, in dB, and the power of the mean errors of its channels.</summary>
    private static (double Sqnr, double MeanError) Compare(Model reference, Model model, Dataset data)
    {
        using var there = OnnxRuntimeRunner.Unoptimized(reference, 1);
        using var here = OnnxRuntimeRunner.Unoptimized(model, 1);
        var means = new ChannelMeans(-1);
        var (signal, noise) = (0.0, 0.0);
        foreach (var sample in data.Samples())
        {
            var (wanted, given) = (there.Run(sample.Inputs).Values.First(), here.Run(sample.Inputs).Values.First());
            means.Add(wanted, given);
            foreach (var (w, g) in wanted.ToArray<float>().Zip(given.ToArray<float>()))
                (signal, noise) = (signal + (double)w * w, noise + ((double)w - g) * ((double)w - g));
        }
        return (10 * Math.Log10(signal / noise), means.Means.Sum(m => m * m));
    }

    [SkippableFact]
    public void Plan_and_tensors_give_the_same_bytes_in_a_new_process_without_data()
    {
        var subject = Open("cifar_resnet20");
        var planned = subject.Plan("test-prune+int8+bias-mean");
        Assert.Equal(["test-prune", "int8", "bias-mean"], planned.Plan.Steps.Select(s => s.Step.Technique));
        // All layers have a target: through cuts, and where int8 has renamed what they give.
        Assert.Equal(subject.Source.Simplified!.Graph.Nodes.Where(n => n.OpType is "Conv" or "Gemm").Select(n => n.OpType),
            ((BiasMeanPlan)planned.Plan.Steps[2].Plan).Biases.Select(b => b.Layer.Operator));
        using var folder = new TemporaryFolder();
        var (plan, file) = (folder.File("plan.json"), folder.File("plan.tensors"));
        var tensors = new PlanTensors();
        File.WriteAllText(plan, planned.Plan.ToJson(_techniques, tensors));
        File.WriteAllBytes(file, tensors.ToBytes());
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(OnnxWriter.ToBytes(planned.Model))), ApplyInChild.Run(subject.Zoo.Model, plan, file));
        Assert.Equal(File.ReadAllText(plan), Plan.FromJson(File.ReadAllText(plan), _techniques, PlanTensors.Read(file)).ToJson(_techniques, new()));
    }

    [SkippableFact]
    public void Corrected_biases_bring_the_outputs_nearer_to_their_target()
    {
        var subject = Open("cifar_resnet20");
        var evaluation = DataLoader.Open([subject.Zoo.Evaluation], subject.Source.Interface, new(), "EvaluationData")!.Subset([.. Enumerable.Range(0, 200)]);
        var (source, pruned, int8) = (subject.Source.Simplified!, subject.Plan("test-prune").Model, subject.Plan("test-prune+int8").Model);
        var (toSource, toPruned) = (subject.Plan("test-prune+int8+bias-mean").Model, subject.Plan("test-prune+int8+bias-mean(1)").Model);
        var (before, after) = (Compare(pruned, int8, evaluation), Compare(pruned, toPruned, evaluation));
        output.WriteLine($"against the pruned model: {before} without, {after} with bias-mean(1), {Compare(pruned, toSource, evaluation)} with bias-mean");
        var (beforeSource, afterSource) = (Compare(source, int8, evaluation), Compare(source, toSource, evaluation));
        output.WriteLine($"against the source: {beforeSource} without, {afterSource} with bias-mean");
        Assert.True(after.Sqnr > before.Sqnr, $"{after} is no better than {before}");
        Assert.True(after.MeanError < before.MeanError, $"{after} is no better than {before}");
        Assert.True(afterSource.Sqnr > beforeSource.Sqnr, $"{afterSource} is no better than {beforeSource}");
        Assert.True(afterSource.MeanError < beforeSource.MeanError, $"{afterSource} is no better than {beforeSource}");
    }

    [SkippableFact]
    public void Layers_in_the_branches_of_a_real_model_are_repaired()
    {
        var subject = Open("silero_vad");
        var planned = subject.Plan("int8+bias-mean");
        var biases = ((BiasMeanPlan)planned.Plan.Steps[1].Plan).Biases.Select(b => b.Layer.Key).ToList();
        Assert.All(biases, b => Assert.Contains("_branch/", b, StringComparison.Ordinal));
        Assert.Equal(6, biases.Count);
    }

    [SkippableFact]
    public void Ranges_are_those_of_the_pruned_model()
    {
        var subject = Open("cifar_resnet20");
        var pruned = subject.Plan("test-prune").Model;
        var tensors = ((StaticInt8Plan)subject.Plan("test-prune+int8(minmax)").Plan.Steps[1].Plan).Tensors;
        var others = ((StaticInt8Plan)subject.Plan("int8(minmax)").Plan.Steps[0].Plan).Tensors;
        // Seen here by running the pruned model, one tensor after the other, without the calibrator.
        var copy = pruned.Clone();
        foreach (var name in tensors.Keys.Where(n => copy.Graph.Find(n) is { IsGraphInput: false, IsGraphOutput: false }))
            copy.Graph.AddOutput(copy.Graph.Find(name)!);
        using var runner = OnnxRuntimeRunner.Unoptimized(copy, 1);
        var seen = tensors.Keys.ToDictionary(n => n, _ => (Low: 0f, High: 0f, Count: 0L), StringComparer.Ordinal);
        foreach (var sample in subject.Calibration.Samples())
        {
            var outputs = runner.Run(sample.Inputs);
            foreach (var name in tensors.Keys)
            {
                var values = (outputs.GetValueOrDefault(name) ?? sample.Inputs[name]).ToArray<float>();
                var (low, high, count) = seen[name];
                seen[name] = (Math.Min(low, values.Min()), Math.Max(high, values.Max()), count + values.Length);
            }
        }
        var different = 0;
        foreach (var (name, mapping) in tensors)
        {
            // Where few values were seen, ranges go beyond them.
            if (seen[name].Count < 20_000)
                continue;
            Assert.Equal((seen[name].High - (double)seen[name].Low) / 255, mapping.Scale, mapping.Scale * 1e-4);
            if (others.TryGetValue(name, out var other) && Math.Abs(other.Scale - mapping.Scale) > 0.01 * other.Scale)
                different++;
        }
        Assert.InRange(different, 5, tensors.Count);
    }
}
