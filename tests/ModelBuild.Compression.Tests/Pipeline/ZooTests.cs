using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Zoo;
using Xunit.Abstractions;

namespace ModelBuild.Compression.Tests.Pipeline;

/// <summary>Whole compressions of real models.</summary>
public class ZooTests(ITestOutputHelper output)
{
    public static TheoryData<string> Compressible => [.. ZooModel.Compressible];

    [SkippableTheory, MemberData(nameof(Compressible)), Trait("Tier", "Ci")]
    public void By_size_a_model_shrinks_to_a_third_within_budget(string name)
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var originalHash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(ZooModel.Open(name).Model)));
        var techniques = new TechniqueRegistry();
        var source = ModelSource.Open(ZooModel.Open(name).Model, new Dictionary<string, long>());
        var pipeline = new Compression.Planning.Pipeline(techniques, source.Simplified!, null, source.SimplifiedAsWritten);
        using var folder = new ArtifactFolder();
        using var files = new TemporaryFolder();
        var applied = new HashSet<string>(StringComparer.Ordinal);
        var outcomes = Outcome.Of(name, Objective.Size, chosen =>
        {
            // So does what ships, in a process that knows no data.
            var tensors = new PlanTensors();
            var text = chosen.Chosen.Candidate.Plan!.ToJson(techniques, tensors);
            if (applied.Add(text))
            {
                var (plan, held) = (files.File($"{applied.Count}.json"), files.File($"{applied.Count}.tensors"));
                File.WriteAllText(plan, text);
                File.WriteAllBytes(held, tensors.ToBytes());
                var here = pipeline.Apply(chosen.Chosen.Candidate.Plan!).Model;
                Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Onnx.OnnxWriter.ToBytes(here))),
                    ApplyInChild.Run(ZooModel.Open(name).Model, plan, held));
            }
            // A plan, read back, gives the same bytes without data.
            foreach (var made in chosen.Candidates.Select(c => c.Candidate).Where(c => c.Plan is not null))
            {
                var madeOf = new PlanTensors();
                var replayed = pipeline.Apply(Plan.FromJson(made.Plan!.ToJson(techniques, madeOf), techniques, madeOf));
                var backend = CompilerBackends.Get(made.Backend);
                Assert.Equal(made.Artifact.Sha256, backend.Write(folder, replayed.Plan, pipeline.FormFor(backend, replayed), new byte[32], out _)!.Sha256);
            }
            // The unmodified original would pass every bar of accuracy: what ships is another file.
            Assert.NotEqual(originalHash, chosen.Chosen.Candidate.Artifact.Sha256);
            Assert.NotEmpty(chosen.Chosen.Candidate.Plan!.Steps);
        });
        foreach (var o in outcomes)
        {
            output.WriteLine($"{o.Profile}: {o.Recipe} on {o.Backend}, {o.Bytes} of {o.OriginalBytes}, {o.Metric} loss {o.Loss:0.#####}");
            Assert.InRange(o.Bytes, 1, (long)(o.OriginalBytes * 0.36));
            Assert.InRange(o.Loss, double.MinValue, o.Budget);
        }
    }

    [SkippableTheory, MemberData(nameof(RecordedClasses)), Trait("Tier", "Ci")]
    public void What_is_chosen_does_not_depend_on_the_machine_that_builds(string cpuClass)
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        // Of all that is recorded; the others take minutes each.
        var recorded = Outcome.Read(Outcome.FileOf(cpuClass)).Where(o => ZooModel.MainJob.Contains(o.Model)).ToList();
        Assert.NotEmpty(recorded);
        var mine = recorded.Select(r => (r.Model, r.Optimize)).Distinct()
            .SelectMany(g => Outcome.Of(g.Model, Enum.Parse<Objective>(g.Optimize, true)))
            .ToDictionary(o => (o.Model, o.Profile, o.Optimize));
        var compared = 0;
        foreach (var r in recorded)
        {
            var o = mine[(r.Model, r.Profile, r.Optimize)];
            output.WriteLine($"{r.Model} {r.Profile} {r.Optimize}: {r.Recipe}/{r.Backend} {r.Loss:0.#####} on {cpuClass}, {o.Recipe}/{o.Backend} "
                + $"{o.Loss:0.#####} on {CpuFeatureDetection.Class}");
            if ((r.Recipe, r.Backend) != (o.Recipe, o.Backend))
            {
                // Recorded with an older cost table, or among other candidates: compared again once that class has been recorded anew.
                Assert.NotEqual(r.Costs, o.Costs);
                continue;
            }
            compared++;
            // One sample of a counted metric; of a continuous one a tenth of the loss, which float differences may move.
            Assert.InRange(Math.Abs(o.Loss - r.Loss), 0, r.Metric is "top1" or "regret" or "agreement" ? 1.5 / r.Samples
                : Math.Max(1e-6, Math.Abs(r.Loss) * 0.1));
        }
        Assert.NotEqual(0, compared);
    }

    public static TheoryData<string> RecordedClasses =>
        [.. Directory.EnumerateFiles(Path.Combine(SharedFolder.Repository, "docs", "results"), "outcomes.*.json")
            .Select(f => Path.GetFileName(f).Split('.')[1])];

    [SkippableFact, Trait("Tier", "Ci")]
    public void A_model_that_plain_int8_ruins_ships_within_budget_and_says_so()
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var zoo = ZooModel.Open("mobilenet_v1_025");
        ProfileOutcome Compress(string technique, bool error)
        {
            var options = new CompressionOptions
            {
                Profiles = [BuiltInProfiles.Get("x64-avx2")],
                CalibrationData = [zoo.Calibration],
                EvaluationData = [zoo.Evaluation],
                Technique = technique,
                ErrorOnBudgetMiss = error,
            };
            using var compressor = new Compressor(ModelSource.Open(zoo.Model, options.Shapes), options, ["onnxruntime"], new byte[32], new TechniqueRegistry(),
                _ => { }, default);
            return compressor.Choose(options.Profiles[0]);
        }

        var warned = Compress("int8", false);
        Assert.True(warned.Chosen.Candidate.IsLossless);
        Assert.Contains(warned.Findings, f => f is { Code: "MDLB2001", Severity: Severity.Warning } && f.Text.Contains("int8", StringComparison.Ordinal));
        Assert.Contains(warned.Candidates, c => c.Candidate.Recipe == "int8" && !c.Accepted && c.Candidate.Choose!.Deciding.Loss > 0.01);

        Assert.Contains(Compress("int8", true).Findings, f => f is { Code: "MDLB2001", Severity: Severity.Error });

        var automatic = Compress("auto", false);
        Assert.InRange(automatic.Chosen.Candidate.Report!.Deciding.Loss, double.MinValue, 0.01);
    }
}
