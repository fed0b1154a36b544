using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Reporting;
using ModelBuild.Compression.Techniques;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Pipeline;

public class RepeatedOutputTests
{
    [Theory]
    [InlineData("int8", "onnxruntime")]
    [InlineData("dynamic-int8", "onnxruntime")]
    [InlineData("dynamic-int8", "managed")]
    [InlineData("weights-int8", "onnxruntime")]
    public void A_model_that_lists_outputs_twice_or_hands_out_what_it_was_given_is_compressed(string technique, string backend)
    {
        using var folder = new TemporaryFolder();
        var random = new Random(5);
        float[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * 2 - 1)];
        var model = new Model { Opset = 17 };
        model.Metadata.Add(new("names", "cat,dog"));
        var g = model.Graph;
        var x = g.AddInput("x", new(ElementType.Float, [Dimension.Named("n"), 64]));
        var hidden = g.AddNode("Gemm", [x, g.AddInitializer("w1", Tensor.Of(Numbers(64 * 64), 64, 64)), g.AddInitializer("b1", Tensor.Of(Numbers(64), 64))],
            ["hidden"]).Output;
        var y = g.AddNode("Gemm", [g.AddNode("Relu", [hidden], ["relu"]).Output, g.AddInitializer("w2", Tensor.Of(Numbers(64 * 64), 64, 64))], ["y"]).Output;
        y.Type = new(ElementType.Float, [Dimension.Named("n"), 64]);
        g.AddOutput(y);
        g.AddOutput(y);
        if (backend == "onnxruntime")
            g.AddOutput(x);
        OnnxWriter.Write(model, folder.File("model.onnx"));
        NpyWriter.WriteNpz(folder.File("data.npz"), [new("x", Tensor.Of(Numbers(64 * 64), 64, 64))]);
        CompressionOptions options = new()
        {
            Profiles = [BuiltInProfiles.Get("x64-avx512vnni")], Technique = technique, Optimize = Objective.Size, MaxAccuracyLoss = 1,
                CalibrationData = [folder.File("data.npz")],
        };
        using var compressor = new Compressor(ModelSource.Open(folder.File("model.onnx"), options.Shapes), options, [backend], new byte[32],
            new TechniqueRegistry(), _ => { }, default);

        var outcome = compressor.Choose(options.Profiles[0]);

        var chosen = outcome.Chosen.Candidate;
        Assert.Null(chosen.Failure);
        Assert.Equal((technique, backend), (chosen.Recipe, chosen.Backend));
        var inputs = compressor.Data.Report![0].Inputs;
        using var original = new OnnxRuntimeRunner(folder.File("model.onnx"));
        using IModelRunner compressed = backend == "managed"
            ? new ManagedRunner(chosen.Artifact.Path, DescriptionBuilder.Of(compressor.Source.Simplified!.Graph, new byte[32]))
            : new OnnxRuntimeRunner(chosen.Artifact.Path);
        var (expected, actual) = (original.Run(inputs), compressed.Run(inputs));
        Assert.Equal(expected.Keys.Order(), actual.Keys.Order());
        var scale = expected["y"].ToArray<float>().Max(Math.Abs);
        Assert.All(expected["y"].ToArray<float>().Zip(actual["y"].ToArray<float>()), p => Assert.InRange(p.First - p.Second, -0.1f * scale, 0.1f * scale));
        if (backend == "managed")
            return;
        var shipped = OnnxReader.Read(chosen.Artifact.Path);
        Assert.Equal(["y", "y", "x"], shipped.Graph.Outputs.Select(o => o.Name));
        Assert.Contains(new("names", "cat,dog"), shipped.Metadata);
    }

    [Theory]
    [InlineData("dynamic-int8", 2)]
    [InlineData("weights-float16", 0)]
    [InlineData("auto", null)]
    public void Nodes_that_leave_out_their_first_output_are_told_apart(string technique, int? quantized)
    {
        using var folder = new TemporaryFolder();
        var random = new Random(5);
        Tensor Numbers(params long[] shape) => Tensor.Of(Enumerable.Range(0, (int)Tensor.Count(shape)).Select(_ => random.NextSingle() - 0.5f).ToArray(),
            shape);
        var model = new Model { Opset = 17 };
        var g = model.Graph;
        var x = g.AddInput("x", TensorType.Of(ElementType.Float, 5, 1, 32));
        Value LastState()
        {
            var lstm = g.AddNode("LSTM", [x, g.AddInitializer("w", Numbers(1, 128, 32)), g.AddInitializer("r", Numbers(1, 128, 32))], ["", "state"]);
            lstm.Attributes["hidden_size"] = 32;
            return lstm.Outputs[1];
        }
        var y = g.AddNode("Add", [LastState(), LastState()], ["y"]).Output;
        y.Type = TensorType.Of(ElementType.Float, 1, 1, 32);
        g.AddOutput(y);
        OnnxWriter.Write(model, folder.File("model.onnx"));
        NpyWriter.WriteNpz(folder.File("data.npz"), [new("x", Numbers(16, 5, 1, 32))]);
        CompressionOptions options = new() { Profiles = [BuiltInProfiles.Get("x64-avx512vnni")], Technique = technique, Optimize = Objective.Size,
            MaxAccuracyLoss = 1, CalibrationData = [folder.File("data.npz")] };
        using var compressor = new Compressor(ModelSource.Open(folder.File("model.onnx"), options.Shapes), options, ["onnxruntime"], new byte[32],
            new TechniqueRegistry(), _ => { }, default);

        var outcome = compressor.Choose(options.Profiles[0]);

        Assert.All(outcome.Candidates, c => Assert.DoesNotContain("Exception", c.Candidate.Failure ?? "", StringComparison.Ordinal));
        Assert.DoesNotContain(outcome.Findings, f => f.Code is "MDLB2022" or "MDLB2009");
        Assert.All(outcome.Chosen.Candidate.Plan!.Changes, c => Assert.StartsWith("state", c.Change.Layer.Key, StringComparison.Ordinal));
        if (quantized is { } count)
            Assert.Equal((technique, count),
                (outcome.Chosen.Candidate.Recipe,
                OnnxReader.Read(outcome.Chosen.Candidate.Artifact.Path).Graph.Nodes.Count(n => n.OpType == "DynamicQuantizeLSTM")));
        Assert.Equal(2, ReportBuilder.Build(compressor, outcome, new Dictionary<string, double>(), "").Layers.Count(l => l.Op == "LSTM"));
    }
}
