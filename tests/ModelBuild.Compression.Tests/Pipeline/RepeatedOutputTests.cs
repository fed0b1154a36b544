using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
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
        var hidden = g.AddNode("Gemm", [x, g.AddInitializer("w1", Tensor.Of(Numbers(64 * 64), 64, 64)), g.AddInitializer("b1", Tensor.Of(Numbers(64), 64))], ["hidden"]).Output;
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
            Profiles = [BuiltInProfiles.Get("x64-avx512vnni")], Technique = technique, Optimize = Objective.Size, MaxAccuracyLoss = 1, CalibrationData = [folder.File("data.npz")],
        };
        using var compressor = new Compressor(ModelSource.Open(folder.File("model.onnx"), options.Shapes), options, [backend], new byte[32], new TechniqueRegistry(), _ => { }, default);

        var outcome = compressor.Choose(options.Profiles[0]);

        var chosen = outcome.Chosen.Candidate;
        Assert.Null(chosen.Failure);
        Assert.Equal((technique, backend), (chosen.Recipe, chosen.Backend));
        var inputs = compressor.Data.Report![0].Inputs;
        using var original = new OnnxRuntimeRunner(folder.File("model.onnx"));
        using IModelRunner compressed = backend == "managed" ? new ManagedRunner(chosen.Artifact.Path, DescriptionBuilder.Of(compressor.Source.Simplified!.Graph, new byte[32])) : new OnnxRuntimeRunner(chosen.Artifact.Path);
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
}
