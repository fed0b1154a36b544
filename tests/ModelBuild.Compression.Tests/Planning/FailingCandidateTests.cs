using ModelBuild.Compression.Data;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Planning;

/// <summary>Whatever goes wrong with a candidate costs that candidate and no more.</summary>
public sealed class FailingCandidateTests : IDisposable
{
    private readonly Nets _nets = new();

    public void Dispose() => _nets.Dispose();

    public static TheoryData<string> Stages => ["propose", "apply", "memory", "refused", "shape", "throws"];

    /// <summary>A technique that fails at a stage.</summary>
    private static StubTechnique Failing(string stage) => new("failing", n => stage == "propose" ? throw new InvalidOperationException("cannot propose")
        : n.Is("MatMul"), model =>
    {
        var graph = model.Graph;
        switch (stage)
        {
            case "apply":
                throw new ArgumentException("cannot apply");
            case "memory":
                throw new OutOfMemoryException();
            case "refused":
                // No runtime knows the operator.
                graph.Nodes.First(n => n.Is("Relu")).OpTypeTo("Nonsense");
                break;
            case "shape":
                {
                    var p = graph.Outputs[0];
                    var twice = graph.AddNode("Concat", [p.Producer!.Inputs[0], p.Producer.Inputs[0]], ["twice"]);
                    twice.Attributes["axis"] = 1L;
                    p.Producer.SetInput(0, twice.Output);
                    graph.Sort();
                    break;
                }
            case "throws":
                {
                    // A shape that no input can be brought to.
                    var hidden = graph.Nodes.First(n => n.Is("Relu"));
                    var reshaped = graph.AddNode("Reshape", [hidden.Input(0), graph.AddInitializer("no", Tensor.Vector(7L, 11, 13))], ["bad"]);
                    hidden.SetInput(0, reshaped.Output);
                    graph.Sort();
                    break;
                }
        }
    });

    [Theory, MemberData(nameof(Stages))]
    public void The_original_ships_and_the_reason_is_told(string stage)
    {
        var techniques = new TechniqueRegistry();
        techniques.Register(Failing(stage));
        foreach (var (technique, code) in new[] { ("failing", "MDLB2009"), ("failing+weights-int8", "MDLB2009") })
        {
            var options = new CompressionOptions { Profiles = [BuiltInProfiles.Get("x64-avx2")], Technique = technique,
                CalibrationData = [_nets.Data(("x", Tensor.Of(Nets.Noise(64 * 16, 3), 64, 16)))] };
            using var compressor = new Compressor(ModelSource.Open(_nets.Softmax(), options.Shapes), options, ["managed", "onnxruntime"], new byte[32],
                techniques, _ => { }, default);
            var outcome = compressor.Choose(options.Profiles[0]);
            Assert.True(outcome.Chosen.Candidate.IsLossless);
            Assert.Contains(outcome.Findings, f => f.Code == code);
            Assert.Contains(outcome.Failures.Select(f => f.Why).Concat(outcome.Candidates.Select(c => c.Why)), why => stage switch
            {
                "propose" => why.Contains("cannot propose", StringComparison.Ordinal),
                "apply" => why.Contains("cannot apply", StringComparison.Ordinal),
                "memory" => why.Contains("memory", StringComparison.Ordinal),
                "refused" => why.Contains("Nonsense", StringComparison.Ordinal),
                "shape" => why.Contains("'p' the shape", StringComparison.Ordinal),
                _ => why.Contains("ONNX Runtime fails", StringComparison.Ordinal) || why.Contains("refuses", StringComparison.Ordinal),
            });
        }
    }

    /// <summary>What only the report part contains breaks the candidate there; another one ships.</summary>
    [Fact]
    public void A_candidate_that_fails_on_the_report_part_is_passed_over()
    {
        var techniques = new TechniqueRegistry();
        techniques.Register(OnlySmallBatches());
        var model = _nets.Softmax();
        var many = _nets.Data(("x", Tensor.Of(Nets.Noise(3 * 16, 4), 1, 3, 16)));
        var source = ModelSource.Open(model, new Dictionary<string, long>());
        // So many samples of one row that the one of three rows lies in the part that reports.
        string Few(int count) => _nets.Data(("x", Tensor.Of(Nets.Noise(count * 16, 3), count, 1, 16)));
        var few = Enumerable.Range(20, 40).Select(Few)
            .First(f => DataSplit.Of(null, DataLoader.Open([many, f], source.Interface, new(), "EvaluationData")).Report!.Samples()
            .Any(s => s.Inputs["x"].Shape[0] == 3));
        var options = new CompressionOptions { Profiles = [BuiltInProfiles.Get("x64-avx2")], Technique = "small", CalibrationData = [few],
            EvaluationData = [many, few] };
        using var compressor = new Compressor(source, options, ["onnxruntime"], new byte[32], techniques, _ => { }, default);
        var outcome = compressor.Choose(options.Profiles[0]);
        Assert.NotEqual("small", outcome.Chosen.Candidate.Recipe);
        Assert.Contains(outcome.Findings, f => f.Code == "MDLB2003");
        Assert.Contains(outcome.Candidates, c => c.Candidate.Recipe == "small" && c.Why.Contains("ONNX Runtime fails", StringComparison.Ordinal));
    }

    /// <summary>A technique that bakes in a batch of one.</summary>
    private static StubTechnique OnlySmallBatches() => new("small", n => n.Is("MatMul"), model =>
    {
        var relu = model.Graph.Nodes.First(n => n.Is("Relu"));
        var reshaped = model.Graph.AddNode("Reshape", [relu.Input(0), model.Graph.AddInitializer("one", Tensor.Vector(1L, 32))], ["r1"]);
        relu.SetInput(0, reshaped.Output);
        model.Graph.Sort();
    });

    [Fact]
    public void Without_loss_allowed_what_is_lossless_ships_and_without_onnx_runtime_too()
    {
        var model = _nets.Softmax();
        var data = _nets.Data(("x", Tensor.Of(Nets.Noise(64 * 16, 3), 64, 16)));
        // Rounding differs by 1e-15 of the signal: more than a budget of 0, and no loss.
        foreach (var metric in new[] { "sqnr", "cosine", "rmse" })
            foreach (var backend in new[] { "managed", "onnxruntime" })
            {
                var outcome = Nets.Compress(model, data, "auto", o => o with { MaxAccuracyLoss = 0, Metric = metric }, backend);
                Assert.True(outcome.Chosen.Candidate.IsLossless, $"{metric} {backend}: {outcome.Chosen.Candidate.Recipe}");
                Assert.Equal(backend, outcome.Chosen.Candidate.Backend);
            }
    }

    [Fact]
    public void What_ended_a_process_while_it_was_priced_or_verified_costs_the_candidate_and_never_the_original()
    {
        var model = _nets.Softmax();
        var data = _nets.Data(("x", Tensor.Of(Nets.Noise(64 * 16, 3), 64, 16)));
        var options = new CompressionOptions { Profiles = [BuiltInProfiles.Get("x64-avx2")], CalibrationData = [data] };
        var file = _nets.Folder.File("journal");
        ProfileOutcome Compress()
        {
            using var compressor = new Compressor(ModelSource.Open(model, options.Shapes), options, ["onnxruntime"], new byte[32], new TechniqueRegistry(),
                _ => { }, default, CrashJournal.Open(file));
            return compressor.Choose(options.Profiles[0]);
        }

        var before = Compress();
        Assert.NotEqual("original", before.Chosen.Candidate.Recipe);
        var begun = File.ReadAllLines(file).Where(l => l.StartsWith("begin ", StringComparison.Ordinal)).ToList();
        var struck = begun.Where(l => l.Contains("predict original", StringComparison.Ordinal)
            || l.Contains(before.Chosen.Candidate.Artifact.Sha256, StringComparison.Ordinal)).ToList();
        Assert.Contains(struck, l => l.Contains("verify", StringComparison.Ordinal));
        Assert.Contains(struck, l => l.Contains("predict original", StringComparison.Ordinal));
        File.WriteAllLines(file, struck);
        var after = Compress();
        Assert.NotEqual(before.Chosen.Candidate.Artifact.Sha256, after.Chosen.Candidate.Artifact.Sha256);
        Assert.True(after.Chosen.Accepted);
        Assert.InRange(after.Chosen.LatencyRatio, 0.01, 10);
    }

    [Fact]
    public void A_model_that_cannot_be_brought_to_a_newer_operator_set_ships_as_it_is_and_is_judged_on_data()
    {
        // The rounding of a Resize that makes its input smaller is not stated in operator set 10.
        var model = new Model { IrVersion = 5, Opset = 10 };
        var graph = model.Graph;
        var x = graph.AddInput("x", new TensorType(ElementType.Float, [Dimension.Named("batch"), Dimension.Of(16)]));
        var half = graph.AddNode("Resize", [x, graph.AddInitializer("scales", Tensor.Vector(1f, 0.5f))], ["half"]).Output;
        var y = graph.AddNode("MatMul", [half, graph.AddInitializer("w", Tensor.Of(Nets.Noise(8 * 64, 1), 8, 64))], ["y"]).Output;
        y.Type = new TensorType(ElementType.Float, [Dimension.Named("batch"), Dimension.Of(64)]);
        graph.AddOutput(y);
        var path = _nets.Write(model);
        foreach (var technique in new[] { "auto", "none" })
        {
            var outcome = Nets.Compress(path, _nets.Data(("x", Tensor.Of(Nets.Noise(64 * 16, 3), 64, 16))), technique);
            Assert.Equal("original", outcome.Chosen.Candidate.Recipe);
            Assert.Equal(path, outcome.Chosen.Candidate.Artifact.Path);
            Assert.Contains(outcome.Findings, f => f.Code == "MDLB2005" && f.Text.Contains("may make its input smaller", StringComparison.Ordinal));
        }
    }
}

internal static class Operators
{
    /// <summary>Replaces a node by one of another operator.</summary>
    public static void OpTypeTo(this Node node, string operatorType)
    {
        var other = node.Graph.AddNode(operatorType, node.Inputs, [node.Output.Name + "_other"]);
        node.Graph.Replace(node.Output, other.Output);
        node.Graph.Sort();
    }
}
