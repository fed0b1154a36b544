using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Techniques;

/// <summary>What static quantization writes: integers where they belong, floats for whoever else reads them, names of outputs as they were.</summary>
public sealed class QdqWriterTests : IDisposable
{
    private readonly Nets _nets = new();

    public void Dispose() => _nets.Dispose();

    private static Tensor Floats(int seed, params long[] shape) => Tensor.Of(Nets.Noise((int)Tensor.Count(shape), seed), shape);

    private (Model Model, ProfileOutcome Outcome) Quantize(Model model, long[] inputShape, double budget = 0.5)
    {
        var data = _nets.Data(("x", Floats(5, [32, .. inputShape[1..]])));
        var path = _nets.Write(model);
        var options = new CompressionOptions { Profiles = [Compression.Profiles.BuiltInProfiles.Get("x64-avx2")], CalibrationData = [data], Technique = "int8",
            MaxAccuracyLoss = budget, Metric = "sqnr" };
        using var compressor = new Compressor(ModelSource.Open(path, options.Shapes), options, ["onnxruntime"], new byte[32],
            new ModelBuild.Compression.Techniques.TechniqueRegistry(), _ => { }, default);
        var outcome = compressor.Choose(options.Profiles[0]);
        Assert.Equal("int8", outcome.Chosen.Candidate.Recipe);
        return (OnnxReader.Read(outcome.Chosen.Candidate.Artifact.Path), outcome);
    }

    private static (Model Model, Value X) Picture(int channels = 3)
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        return (model, model.Graph.AddInput("x", TensorType.Of(ElementType.Float, 1, channels, 8, 8)));
    }

    private static Value Conv(Graph graph, Value x, int channels, int filters, string name, int seed)
    {
        var conv = graph.AddNode("Conv",
            [x, graph.AddInitializer($"{name}.w", Floats(seed, filters, channels, 3, 3)), graph.AddInitializer($"{name}.b", Floats(seed + 1, filters))],
            [name]);
        conv.Attributes["pads"] = new long[] { 1, 1, 1, 1 };
        return conv.Output;
    }

    private static void Output(Graph graph, Value y, params long[] shape)
    {
        y.Type = TensorType.Of(ElementType.Float, shape);
        graph.AddOutput(y);
    }

    [Fact]
    public void Every_reader_has_a_dequantize_of_its_own_and_a_shared_tensor_one_quantize()
    {
        var (model, x) = Picture();
        var graph = model.Graph;
        var first = graph.AddNode("Relu", [Conv(graph, x, 3, 8, "a", 1)], ["ar"]).Output;
        var left = Conv(graph, first, 8, 8, "b", 3);
        var right = Conv(graph, first, 8, 8, "c", 5);
        Output(graph, graph.AddNode("Add", [left, right], ["y"]).Output, 1, 8, 8, 8);
        var (made, _) = Quantize(model, [1, 3, 8, 8]);
        Assert.Equal(["y"], made.Graph.Outputs.Select(o => o.Name));
        // The input, what each of the three convolutions gives, and the sum.
        Assert.InRange(made.Graph.Nodes.Count(n => n.Is("QuantizeLinear")), 4, 5);
        Assert.All(made.Graph.Nodes.Where(n => n.Is("DequantizeLinear") && n.Inputs[0]!.Constant is null),
            n => Assert.Equal(1, n.Output.Uses.Count + (n.Output.IsGraphOutput ? 1 : 0)));
        Assert.All(made.Graph.Nodes.Where(n => n.Is("Conv")), n => Assert.Equal("QuantizeLinear", n.Output.OnlyUser?.OpType));
        // The activation lives in the range of what it gives.
        Assert.DoesNotContain(made.Graph.Nodes, n => n.Is("Relu"));
    }

    [Fact]
    public void What_is_an_output_and_read_inside_stays_both()
    {
        var (model, x) = Picture();
        var graph = model.Graph;
        var middle = Conv(graph, x, 3, 8, "middle", 1);
        Output(graph, middle, 1, 8, 8, 8);
        Output(graph, Conv(graph, middle, 8, 4, "y", 3), 1, 4, 8, 8);
        var (made, outcome) = Quantize(model, [1, 3, 8, 8]);
        Assert.Equal(["middle", "y"], made.Graph.Outputs.Select(o => o.Name));
        Assert.All(outcome.Chosen.Candidate.Report!.All, m => Assert.InRange(m.Loss, 0, 0.05));
    }

    [Fact]
    public void Padding_with_a_value_pads_with_its_integer()
    {
        var (model, x) = Picture();
        var graph = model.Graph;
        var a = Conv(graph, x, 3, 8, "a", 1);
        var padded = graph.AddNode("Pad",
            [a, graph.AddInitializer("pads", Tensor.Vector(0L, 0, 1, 1, 0, 0, 1, 1)), graph.AddInitializer("value", Tensor.Scalar(0.8f))], ["p"]).Output;
        Output(graph, Conv(graph, padded, 8, 4, "y", 3), 1, 4, 10, 10);
        var (made, outcome) = Quantize(model, [1, 3, 8, 8]);
        var pad = Assert.Single(made.Graph.Nodes, n => n.Is("Pad"));
        Assert.Equal(ElementType.UInt8, pad.Inputs[2]!.Constant!.ElementType);
        Assert.InRange(outcome.Chosen.Candidate.Report!.Deciding.Loss, 0, 0.01);
    }

    /// <summary>One weight, two layers whose inputs differ by a factor of a million: the second bias needs scales of its own.</summary>
    [Fact]
    public void Layers_that_share_weights_keep_their_biases()
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        var graph = model.Graph;
        var x = graph.AddInput("x", new TensorType(ElementType.Float, [Dimension.Named("batch"), 16]));
        var w = graph.AddInitializer("w", Floats(1, 16, 16));
        var large = graph.AddNode("Gemm", [x, w, graph.AddInitializer("b1", Floats(2, 16))], ["g1"]).Output;
        var tiny = graph.AddNode("Mul", [x, graph.AddInitializer("k", Tensor.Scalar(1e-6f))], ["m"]).Output;
        var small = graph.AddNode("Gemm", [tiny, w, graph.AddInitializer("b2", Tensor.Vector(Enumerable.Repeat(3000f, 16).ToArray()))], ["g2"]).Output;
        foreach (var y in new[] { large, small })
        {
            y.Type = new TensorType(ElementType.Float, [Dimension.Named("batch"), 16]);
            graph.AddOutput(y);
        }
        var (_, outcome) = Quantize(model, [1, 16], 100);
        Assert.All(outcome.Chosen.Candidate.Report!.All, m => Assert.InRange(m.Loss, 0, 0.01));
    }
}
