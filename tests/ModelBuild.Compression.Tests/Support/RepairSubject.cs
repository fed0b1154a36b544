using System.Security.Cryptography;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Onnx;
using ModelBuild.Zoo;

namespace ModelBuild.Compression.Tests.Support;

/// <summary>A real model that recipes are planned for on some of its calibration data, and judged on its evaluation data.</summary>
internal sealed record RepairSubject(ZooModel Zoo, ModelSource Source, TechniqueRegistry Techniques, Compression.Planning.Pipeline Pipeline)
{
    public static readonly HardwareProfile Profile = BuiltInProfiles.Get("x64-avx512vnni");

    private static readonly OnnxRuntimeCosts Costs = new(CostTable.Load("avx512vnni"), new Dictionary<string, long>());

    /// <summary>Opens a model of the zoo; skips the test where there is none.</summary>
    public static RepairSubject Open(string name, int samples)
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

    public Planned Plan(string recipe) => Pipeline.TryPlan(Recipe.Parse(recipe), Profile, Costs)!;

    /// <summary>Signal to noise of a model's first output against the source's on evaluation data, in dB.</summary>
    public double Sqnr(Model model, int samples)
    {
        var data = DataLoader.Open([Zoo.Evaluation], Source.Interface, new(), "EvaluationData")!;
        using var there = OnnxRuntimeRunner.Unoptimized(Source.Simplified!, 1);
        using var here = OnnxRuntimeRunner.Unoptimized(model, 1);
        var (signal, noise) = (0.0, 0.0);
        foreach (var sample in data.Subset([.. Enumerable.Range(0, Math.Min(samples, data.Count))]).Samples())
            foreach (var (w, g) in there.Run(sample.Inputs).Values.First().ToArray<float>().Zip(here.Run(sample.Inputs).Values.First().ToArray<float>()))
                (signal, noise) = (signal + (double)w * w, noise + ((double)w - g) * ((double)w - g));
        return 10 * Math.Log10(signal / noise);
    }

    /// <summary>A plan, applied without data in a new process, gives the same bytes.</summary>
    public void AppliesTheSameElsewhere(Planned planned)
    {
        using var folder = new TemporaryFolder();
        var (plan, file, tensors) = (folder.File("plan.json"), folder.File("plan.tensors"), new PlanTensors());
        File.WriteAllText(plan, planned.Plan.ToJson(Techniques, tensors));
        File.WriteAllBytes(file, tensors.ToBytes());
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(OnnxWriter.ToBytes(planned.Model))), ApplyInChild.Run(Zoo.Model, plan, file));
    }
}
