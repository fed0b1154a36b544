using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Planning;

/// <summary>Integers only where ONNX Runtime has kernels for them, by its own optimized graph.</summary>
public sealed class RuntimePlacementTests : IDisposable
{
    private readonly Nets _nets = new();

    public void Dispose() => _nets.Dispose();

    private static Tensor Rows(int rows, int columns, int seed) => Tensor.Of(Nets.Noise(rows * columns, seed), rows, columns);

    /// <summary>Gemm, an activation, Gemm: which the runtime fuses in float first.</summary>
    private string TwoGemms(string? activation, bool transposed)
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        var graph = model.Graph;
        var x = graph.AddInput("x", new TensorType(ElementType.Float, [Dimension.Named("batch"), 256]));
        Value Layer(Value input, int rows, int columns, string name)
        {
            var gemm = graph.AddNode("Gemm", [input, graph.AddInitializer($"{name}.w", transposed ? Rows(columns, rows, 1) : Rows(rows, columns, 1)),
                graph.AddInitializer($"{name}.b", Tensor.Of(Nets.Noise(columns, 2), columns))], [name]);
            gemm.Attributes["transB"] = transposed ? 1L : 0L;
            return gemm.Output;
        }
        var h = Layer(x, 256, 128, "first");
        if (activation is not null)
            h = graph.AddNode(activation, [h], ["a"]).Output;
        var y = Layer(h, 128, 10, "second");
        y.Type = new TensorType(ElementType.Float, [Dimension.Named("batch"), 10]);
        graph.AddOutput(y);
        return _nets.Write(model);
    }

    [Theory]
    [InlineData("Relu", false)]
    [InlineData("Relu", true)]
    [InlineData("Sigmoid", false)]
    [InlineData("Tanh", true)]
    [InlineData("LeakyRelu", false)]
    [InlineData(null, false)]
    public void No_weights_are_dequantized_in_every_call(string? activation, bool transposed)
    {
        var path = TwoGemms(activation, transposed);
        var data = _nets.Data(("x", Rows(64, 256, 3)));
        foreach (var technique in new[] { "int8", "int8(mse,mixed)", "int8(minmax,mixed)+weights-float16", "dynamic-int8" })
        {
            var options = new CompressionOptions { Profiles = [BuiltInProfiles.Get("x64-avx512vnni")], CalibrationData = [data], Technique = technique,
                MaxAccuracyLoss = 0.5 };
            using var compressor = new Compressor(ModelSource.Open(path, options.Shapes), options, ["onnxruntime"], new byte[32], new TechniqueRegistry(),
                _ => { }, default);
            var outcome = compressor.Choose(options.Profiles[0]);
            foreach (var candidate in outcome.Candidates.Where(c => c.Candidate.Failure is null))
                Assert.Empty(OptimizedGraph.Of(candidate.Candidate.Artifact.Path).DequantizedConstants);
            // Something is left to compute in integers, where costs have no say.
            if (technique is "int8" or "dynamic-int8")
                Assert.Contains(outcome.Candidates, c => c.Candidate is { Failure: null, IsLossless: false } && c.Candidate.Plan!.ChangesArithmetic);
        }
    }

    /// <summary>A technique that makes a fused operator unrecognisable costs its candidate.</summary>
    [Fact]
    public void What_breaks_a_fusion_does_not_ship()
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        var graph = model.Graph;
        var x = graph.AddInput("x", new TensorType(ElementType.Float, [Dimension.Named("batch"), 64]));
        var h = graph.AddNode("MatMul", [x, graph.AddInitializer("w", Rows(64, 64, 1))], ["h"]).Output;
        // Gelu by the error function, as exporters write it: ONNX Runtime makes one operator of it.
        Value Scalar(string name, float value) => graph.AddInitializer(name, Tensor.Scalar(value));
        var erf = graph.AddNode("Erf", [graph.AddNode("Div", [h, Scalar("sqrt2", MathF.Sqrt(2))], ["d"]).Output], ["e"]).Output;
        var one = graph.AddNode("Add", [erf, Scalar("one", 1)], ["o"]).Output;
        var y = graph.AddNode("Mul", [graph.AddNode("Mul", [h, one], ["m"]).Output, Scalar("half", 0.5f)], ["y"]).Output;
        y.Type = new TensorType(ElementType.Float, [Dimension.Named("batch"), 64]);
        graph.AddOutput(y);
        var path = _nets.Write(model);
        Assert.Equal(1, OptimizedGraph.Of(path).Operators.Where(o => o.Key.EndsWith("Gelu", StringComparison.Ordinal)).Sum(o => o.Value));

        var techniques = new TechniqueRegistry();
        techniques.Register(Splitting());
        var options = new CompressionOptions { Profiles = [BuiltInProfiles.Get("x64-avx2")], CalibrationData = [_nets.Data(("x", Rows(64, 64, 3)))],
            Technique = "splitting" };
        using var compressor = new Compressor(ModelSource.Open(path, options.Shapes), options, ["onnxruntime"], new byte[32], techniques, _ => { }, default);
        var outcome = compressor.Choose(options.Profiles[0]);
        Assert.NotEqual("splitting", outcome.Chosen.Candidate.Recipe);
        Assert.Contains("gelu", outcome.Candidates.Single(c => c.Candidate.Recipe == "splitting").Why, StringComparison.Ordinal);
    }

    /// <summary>Puts a factor of 1 where the runtime's pattern does not expect one.</summary>
    private static StubTechnique Splitting() => new("splitting", n => n.OpType is "Erf" or "Gelu", model =>
    {
        var erf = model.Graph.Nodes.First(n => n.Is("Erf"));
        var factor = model.Graph.AddNode("Mul", [erf.Input(0), model.Graph.AddInitializer("f", Tensor.Scalar(1.0001f))], ["scaled"]);
        erf.SetInput(0, factor.Output);
        model.Graph.Sort();
    });
}
