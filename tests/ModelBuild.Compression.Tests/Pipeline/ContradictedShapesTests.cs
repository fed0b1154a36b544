using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Pipeline;

public class ContradictedShapesTests
{
    // Wherever the one sample lies that is not as declared: among those that calibrate, choose or report.
    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(11)]
    [InlineData(-1)]
    public void A_sample_that_contradicts_the_declared_shapes_is_told_and_what_ships_is_right_for_it(int contradicting)
    {
        const int samples = 12;
        using var folder = new TemporaryFolder();
        var model = new Model { Opset = 13 };
        var g = model.Graph;
        var x = g.AddInput("x", TensorType.Of(ElementType.Float, 3, 4));
        var axis = g.AddInput("axis", TensorType.Of(ElementType.Int64, 1));
        var flat = g.AddNode("Unsqueeze", [g.AddNode("Neg", [g.AddNode("Abs", [x], ["abs"]).Output], ["negative"]).Output, axis], ["flat"]);
        var y = g.AddNode("Identity", [g.AddNode("Relu", [flat.Output], ["relu"]).Output], ["y"]).Output;
        y.Type = TensorType.Of(ElementType.Float, 1, 3, 4);
        g.AddOutput(y);
        OnnxWriter.Write(model, folder.File("model.onnx"));
        var values = Tensor.Of(Enumerable.Range(0, samples * 12).Select(i => (float)Math.Sin(i)).ToArray(), samples, 3, 4);
        NpyWriter.WriteNpz(folder.File("data.npz"),
            [new("x", values), new("axis", Tensor.Of(Enumerable.Range(0, samples).Select(i => i == contradicting ? 2L : 0L).ToArray(), samples, 1))]);
        CompressionOptions options = new() { Profiles = [BuiltInProfiles.Get("x64-avx2")], CalibrationData = [folder.File("data.npz")],
            Technique = "simplify" };
        using var compressor = new Compressor(ModelSource.Open(folder.File("model.onnx"), options.Shapes), options, ["onnxruntime"], new byte[32],
            new TechniqueRegistry(), _ => { }, default);

        var outcome = compressor.Choose(options.Profiles[0]);

        Assert.Equal(contradicting >= 0 ? 1 : 0, outcome.Findings.Count(f => f is { Code: "MDLB2030", Severity: Severity.Warning }));
        var simplified = Assert.Single(outcome.Candidates, c => c.Candidate.Recipe == "simplify").Candidate;
        Assert.Null(simplified.Failure);
        using var runner = new OnnxRuntimeRunner(simplified.Artifact.Path);
        foreach (var (at, shape) in new (long, long[])[] { (0, [1, 3, 4]), (1, [3, 1, 4]), (2, [3, 4, 1]) })
            Assert.Equal(shape, runner.Run(new Dictionary<string, Tensor> { ["x"] = Tensor.Of(new float[12], 3, 4), ["axis"] = Tensor.Vector(at) })["y"].Shape);
    }
}
