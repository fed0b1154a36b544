using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Reporting;
using ModelBuild.Compression.Techniques;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;
using ModelBuild.Zoo;

namespace ModelBuild.Compression.Tests.Pipeline;

/// <summary>The model that lies in the repository, through every station.</summary>
public class OwnModelTests
{
    private static readonly string Folder = Path.Combine(SharedFolder.Repository, "samples", "Quickstart", "Models");

    private static CompressionOptions Options(string profile, string technique = "auto") => new()
    {
        Profiles = [BuiltInProfiles.Get(profile)],
        CalibrationData = [Path.Combine(Folder, "calibration.npz")],
        EvaluationData = [Path.Combine(Folder, "evaluation.npz")],
        Technique = technique,
    };

    private static Compressor Open(CompressionOptions options, params string[] backends) =>
        new(ModelSource.Open(Path.Combine(Folder, "digits.onnx"), options.Shapes), options, backends, new byte[32], new TechniqueRegistry(), _ => { }, default);

    [Theory]
    [InlineData("x64-avx2", "int8")]
    [InlineData("x64-avx512vnni", "int8")]
    [InlineData("x64-avx2", "dynamic-int8")]
    [InlineData("x64-avx512vnni", "dynamic-int8")]
    public void The_managed_artifact_answers_as_onnx_runtime_does(string profile, string technique)
    {
        var options = Options(profile, technique);
        using var compressor = Open(options, "managed", "onnxruntime");
        var outcome = compressor.Choose(options.Profiles[0]);
        var pair = outcome.Candidates.Where(c => c.Candidate.Recipe == technique).Select(c => c.Candidate).ToList();
        Assert.Equal(["managed", "onnxruntime"], pair.Select(c => c.Backend).Order());
        var data = DataLoader.Open([Path.Combine(Folder, "evaluation.npz")], compressor.Source.Interface, new(), "EvaluationData")!;
        using var managed = new ManagedRunner(pair.First(c => c.Backend == "managed").Artifact.Path,
            DescriptionBuilder.Of(compressor.Source.Simplified!.Graph, new byte[32]));
        using var runtime = new OnnxRuntimeRunner(pair.First(c => c.Backend == "onnxruntime").Artifact.Path);
        var differing = 0;
        for (var i = 0; i < 200; i++)
        {
            var inputs = data[i].Inputs;
            var a = managed.Run(inputs)["logits"].ToArray<float>();
            var b = runtime.Run(inputs)["logits"].ToArray<float>();
            var scale = b.Max(Math.Abs);
            // Integers in between are the same; a sum that lies on the border between two integers may fall to either side by float rounding.
            differing += a.Zip(b).Any(p => Math.Abs(p.First - p.Second) > 1e-4 * scale) ? 1 : 0;
        }
        Assert.InRange(differing, 0, 2);
    }

    [Fact]
    public void Weights_of_profiles_without_dot_products_keep_to_seven_bits()
    {
        foreach (var (profile, limit) in new[] { ("x64-avx2", 63), ("portable", 63), ("x64-avx512", 63), ("x64-avxvnni", 127), ("x64-avx512vnni", 127) })
        {
            var options = Options(profile, "int8");
            using var compressor = Open(options, "onnxruntime");
            var model = OnnxReader.Read(compressor.Choose(options.Profiles[0]).Chosen.Candidate.Artifact.Path);
            var weights = model.Graph.Initializers.Where(i => i.Constant is { ElementType: ElementType.Int8, Rank: 2 }).ToList();
            Assert.Equal(3, weights.Count);
            Assert.All(weights, w => Assert.Equal(limit, w.Constant!.ToArray<sbyte>().Max(v => Math.Abs((int)v))));
        }
    }

    [Fact]
    public void A_plan_is_data_that_gives_the_same_bytes_again()
    {
        var options = Options("x64-avx2", "int8(mse)+weights-int8");
        using var compressor = Open(options, "onnxruntime");
        var chosen = compressor.Choose(options.Profiles[0]).Chosen.Candidate;
        var techniques = new TechniqueRegistry();
        var plan = Plan.FromJson(chosen.Plan!.ToJson(techniques), techniques);
        Assert.Equal(chosen.Plan.ToJson(techniques), plan.ToJson(techniques));
        var model = new Compression.Planning.Pipeline(techniques, compressor.Source.Simplified!, null).Apply(plan).Model;
        ArtifactMetadata.Stamp(model, plan, new byte[32]);
        Assert.Equal(chosen.Artifact.Sha256, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(OnnxWriter.ToBytes(model))));
    }

    [Fact]
    public void The_same_inputs_give_the_same_bytes()
    {
        string Hash(int threads)
        {
            var options = Options("x64-avx512vnni", "int8(mse)") with { Threads = threads };
            using var compressor = Open(options, "managed", "onnxruntime");
            return compressor.Choose(options.Profiles[0]).Chosen.Candidate.Artifact.Sha256;
        }
        Assert.Equal(Hash(1), Hash(1));
        Assert.Equal(Hash(1), Hash(2));
    }

    [Fact]
    public void Without_onnx_runtime_the_managed_backend_takes_the_model()
    {
        var options = Options("portable");
        using var compressor = Open(options, "managed");
        var outcome = compressor.Choose(options.Profiles[0]);
        Assert.Equal("managed", outcome.Chosen.Candidate.Backend);
        Assert.NotEmpty(outcome.Chosen.Candidate.Plan!.Steps);
        Assert.InRange(outcome.Chosen.Candidate.Artifact.Length, 1, compressor.Source.Artifact.Length * 36 / 100);
    }

    [Fact]
    public void Without_data_only_safe_things_are_done_and_the_user_is_told()
    {
        var options = Options("portable") with { CalibrationData = [], EvaluationData = [] };
        using var compressor = Open(options, "managed", "onnxruntime");
        var outcome = compressor.Choose(options.Profiles[0]);
        Assert.Contains(outcome.Chosen.Candidate.Recipe, new[] { "weights-float16", "simplify", "original" });
        Assert.Contains(outcome.Findings, f => f is { Code: "MDLB2004", Severity: Severity.Warning });
    }

    [Fact]
    public void Too_few_samples_are_called_too_few()
    {
        using var folder = new Support.TemporaryFolder();
        NpyWriter.WriteNpz(folder.File("few.npz"), [KeyValuePair.Create("input", Tensor.Of(new float[2 * 784], 2, 1, 28, 28))]);
        var options = Options("portable") with { CalibrationData = [folder.File("few.npz")], EvaluationData = [] };
        using var compressor = Open(options, "onnxruntime");
        Assert.Contains(compressor.Choose(options.Profiles[0]).Findings, f => f.Code == "MDLB2004" && f.Text.Contains("2 samples", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false, Severity.Warning)]
    [InlineData(true, Severity.Error)]
    public void A_technique_that_comes_to_nothing_is_not_passed_over(bool error, Severity severity)
    {
        var options = Options("portable", "int8") with { CalibrationData = [], EvaluationData = [], ErrorOnBudgetMiss = error };
        using var compressor = Open(options, "managed", "onnxruntime");
        var outcome = compressor.Choose(options.Profiles[0]);
        Assert.True(outcome.Chosen.Candidate.IsLossless);
        Assert.Contains(outcome.Findings, f => f.Code == "MDLB2009" && f.Severity == severity && f.Text.Contains("CalibrationData", StringComparison.Ordinal));
    }

    [Fact]
    public void A_time_that_nothing_uses_is_said()
    {
        var options = Options("portable", "weights-int8") with { TrainingTime = 60, SearchTime = 60 };
        using var compressor = Open(options, "onnxruntime");
        var findings = compressor.Choose(options.Profiles[0]).Findings.Where(f => f.Code == "MDLB0007");
        Assert.Equal([("TrainingTime", Severity.Warning), ("SearchTime", Severity.Warning)], findings.Select(f => (f.Metadata!, f.Severity)));
    }

    [Fact]
    public void Pictures_have_a_noise_floor_and_arrays_have_none()
    {
        using var folder = new Support.TemporaryFolder();
        var digits = DataLoader.Open([Path.Combine(Folder, "calibration.npz")],
            ModelSource.Open(Path.Combine(Folder, "digits.onnx"), new Dictionary<string, long>()).Interface, new(), "CalibrationData")!;
        for (var i = 0; i < 12; i++)
        {
            var values = digits[i].Inputs["input"].ToArray<float>();
            var (least, spread) = (values.Min(), values.Max() - values.Min());
            File.WriteAllBytes(folder.File($"{i}.bmp"),
                Support.Arrays.Bitmap(28, 28, (x, y) => { var v = (byte)(255 * (values[y * 28 + x] - least) / spread); return (v, v, v); }));
        }
        NoiseFloorFacts? Floor(double scale, string data)
        {
            var options = Options("portable", "int8") with { CalibrationData = [data], EvaluationData = [], Images = new() { Scale = [scale] } };
            using var compressor = Open(options, "onnxruntime");
            return ReportBuilder.Build(compressor, compressor.Choose(options.Profiles[0]), new Dictionary<string, double>(), "1").NoiseFloor;
        }
        var floor = Floor(1 / 255.0, folder.Path)!;
        Assert.Equal(("logits", 3), (floor.Output, floor.Samples));
        Assert.InRange(floor.Sqnr, 30, 100);
        Assert.Equal(floor, Floor(1 / 255.0, folder.Path));
        Assert.Null(Floor(1, Path.Combine(Folder, "calibration.npz")));
    }

    [Fact]
    public void Technique_none_ships_the_file_as_it_is()
    {
        var options = Options("portable", "none");
        using var compressor = Open(options, "managed", "onnxruntime");
        var outcome = compressor.Choose(options.Profiles[0]);
        Assert.Equal(compressor.Source.Artifact.Sha256, outcome.Chosen.Candidate.Artifact.Sha256);
        Assert.Empty(outcome.Findings);
    }

    [Fact]
    public void A_limit_that_nothing_meets_is_an_error_with_its_metadata()
    {
        var options = Options("portable") with { MaxSize = 1000 };
        using var compressor = Open(options, "managed", "onnxruntime");
        var error = Assert.Throws<CompressionException>(() => compressor.Choose(options.Profiles[0]));
        Assert.Equal(("MDLB2007", "MaxSize"), (error.Code, error.Metadata));
    }

    /// <summary>A limit on latency holds where latencies were measured; where they are estimates it warns.</summary>
    [Fact]
    public void A_limit_on_latency_is_an_error_only_where_costs_were_measured()
    {
        var measured = Options("x64-avx512vnni") with { MaxLatency = 1 };
        using (var compressor = Open(measured, "managed", "onnxruntime"))
            Assert.Equal("MDLB2008", Assert.Throws<CompressionException>(() => compressor.Choose(measured.Profiles[0])).Code);

        var estimated = Options("x64-avx2") with { MaxLatency = 1 };
        using (var compressor = Open(estimated, "managed", "onnxruntime"))
            Assert.Contains(compressor.Choose(estimated.Profiles[0]).Findings, f => f is { Code: "MDLB2008", Severity: Severity.Warning });
    }

    [Fact]
    public void A_model_that_is_quantized_already_stays_as_it_is()
    {
        using var folder = new TemporaryFolder();
        var options = Options("x64-avx512vnni", "int8");
        using (var compressor = Open(options, "onnxruntime"))
            compressor.Choose(options.Profiles[0]).Chosen.Candidate.Artifact.CopyTo(folder.File("quantized.onnx"));
        var auto = Options("x64-avx512vnni") with { Optimize = Objective.Size };
        using var again = new Compressor(ModelSource.Open(folder.File("quantized.onnx"), auto.Shapes), auto, ["managed", "onnxruntime"], new byte[32],
            new TechniqueRegistry(), _ => { }, default);
        var outcome = again.Choose(auto.Profiles[0]);
        Assert.Contains(outcome.Findings, f => f is { Code: "MDLB2011", Severity: Severity.Message });
        Assert.All(outcome.Candidates, c => Assert.Null(c.Candidate.Failure));
        Assert.InRange(outcome.Chosen.Candidate.Artifact.Length, 1, new FileInfo(folder.File("quantized.onnx")).Length * 1.02);
    }
}
