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

namespace ModelBuild.Compression.Tests.Planning;

/// <summary>Every plan that <c>auto</c> makes of a real model, for every profile, gives the same bytes in a process that has the plan and no data.</summary>
public sealed class ReplayTests(ITestOutputHelper output)
{
    public static TheoryData<string> Models => [.. ZooModel.All];

    [SkippableTheory, MemberData(nameof(Models)), Trait("Tier", "Ci")]
    public void Plans_of_all_profiles_give_the_same_bytes_in_a_new_process(string name)
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var zoo = ZooModel.Open(name);
        var techniques = new TechniqueRegistry();
        var source = ModelSource.Open(zoo.Model, new Dictionary<string, long>());
        var all = DataLoader.Open([zoo.Calibration], source.Interface, new(), "CalibrationData")!;
        var data = all.Subset([.. Enumerable.Range(0, Math.Min(4, all.Count))]);
        var histograms = new Dictionary<(Model, string), RangeHistogram>();
        var pipeline = new Compression.Planning.Pipeline(techniques, source.Simplified!, (model, _, paths) =>
        {
            var missing = paths.Where(p => !histograms.ContainsKey((model, p))).ToList();
            if (missing.Count > 0)
                foreach (var (path, histogram) in Calibrator.Run(model, data, missing, 1))
                    histograms.Add((model, path), histogram);
            return paths.ToDictionary(p => p, p => histograms[(model, p)]);
        }, source.SimplifiedAsWritten);
        using var folder = new TemporaryFolder();
        var expected = new Dictionary<string, string>(StringComparer.Ordinal);
        var files = new List<(string, string)>();
        var profiles = BuiltInProfiles.All.ToList();
        foreach (var profile in profiles)
            foreach (var recipe in new FixedCandidates(techniques, "auto", proves: true, Objective.Size, rewrites: true).Recipes([], static _ => { }))
            {
                var costs = new OnnxRuntimeCosts(CostTable.Load(profile.CostClass), new Dictionary<string, long>());
                if (pipeline.TryPlan(recipe, profile, costs) is not { } planned)
                    continue;
                var tensors = new PlanTensors();
                var text = planned.Plan.ToJson(techniques, tensors);
                if (!expected.TryAdd(text, Convert.ToHexStringLower(SHA256.HashData(OnnxWriter.ToBytes(planned.Model)))))
                    continue;
                files.Add((folder.File($"{files.Count}.json"), folder.File($"{files.Count}.tensors")));
                File.WriteAllText(files[^1].Item1, text);
                File.WriteAllBytes(files[^1].Item2, tensors.ToBytes());
            }
        output.WriteLine($"{name}: {expected.Count} plans for {profiles.Count} profiles");
        Assert.NotEmpty(expected);
        Assert.Equal(expected.Values, ApplyInChild.Run(zoo.Model, files));
    }
}
