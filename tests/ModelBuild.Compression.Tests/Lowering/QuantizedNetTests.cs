using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;
using ModelBuild.Zoo;
using Xunit.Abstractions;

namespace ModelBuild.Compression.Tests.Lowering;

/// <summary>
/// Nets that the technique int8 makes, on the managed backend, against the interpreter. Layer by layer the integers are the same bits as its integer operators'
/// (QLinearConv for a convolution between DequantizeLinear and QuantizeLinear), which multiply exact sums by a float, as ONNX Runtime does. Real numbers may lie
/// on the other side of a tie, in a few of a million elements, and deep nets make more of it: whole nets are held against those.
/// </summary>
public sealed class QuantizedNetTests(ITestOutputHelper output) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableTheory]
    [InlineData("own_mnist_cnn_bn", 1e-5)]
    [InlineData("kws_dscnn", 1e-5)]
    [InlineData("autoencoder", 1e-5)]
    [InlineData("vww_96", 1e-5)]
    public void A_small_net_in_integers_answers_as_the_interpreter(string name, double tolerance) => Compare(name, tolerance);

    // What deep nets answer is itself quantized: a few levels of 255.
    [SkippableTheory, Trait("Tier", "Ci")]
    [InlineData("cifar_resnet20", 1e-5)]
    [InlineData("mobilenet_v1_025", 0.01)]
    [InlineData("mobilenet_v2", 0.06)]
    [InlineData("ppocr_cls", 1e-3)]
    public void A_net_in_integers_answers_as_the_interpreter(string name, double tolerance) => Compare(name, tolerance);

    [SkippableTheory]
    [InlineData("own_mnist_cnn_bn")]
    [InlineData("kws_dscnn")]
    [InlineData("autoencoder")]
    public void Each_layer_of_a_small_net_gives_the_integers_that_the_interpreter_makes_of_its_inputs(string name) => CompareLayers(name);

    [SkippableTheory, Trait("Tier", "Ci")]
    [InlineData("vww_96")]
    [InlineData("cifar_resnet20")]
    [InlineData("mobilenet_v1_025")]
    [InlineData("mobilenet_v2")]
    [InlineData("ppocr_cls")]
    [InlineData("blazeface")]
    [InlineData("ultraface")]
    [InlineData("yunet")]
    [InlineData("mlsd_tiny")]
    [InlineData("minilm_l3")]
    public void Each_layer_gives_the_integers_that_the_interpreter_makes_of_its_inputs(string name) => CompareLayers(name);

    // A state that another rounding moves by a level moves what follows.
    [SkippableTheory]
    [InlineData("own_mnist_lstm", 0.02)]
    public void An_lstm_that_quantizes_at_every_step_answers_as_the_interpreter(string name, double tolerance)
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        Assert.Contains(Int8(name, "dynamic-int8").Model.Graph.Nodes, static n => n.OpType == "DynamicQuantizeLSTM");
        Compare(name, tolerance, "dynamic-int8");
    }

    // In integers on this backend alone: no operator of ONNX Runtime says it.
    [SkippableTheory]
    [InlineData("g2p_gru", 0.02)]
    [InlineData("forecast_gru", 0.02)]
    public void A_gru_that_quantizes_at_every_step_answers_as_the_interpreter(string name, double tolerance)
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var managed = Int8(name, "dynamic-int8", new ManagedCosts(CostTable.Load("avx512vnni"), new Dictionary<string, long>())).Model;
        Assert.Contains(managed.Graph.Nodes, static n => n.QualifiedOpType == "modelbuild.DynamicQuantizeGRU");
        Assert.DoesNotContain(managed.Graph.Nodes, static n => n.Is("GRU"));
        using var folder = new ArtifactFolder();
        Assert.Null(new OnnxRuntimeCompilerBackend().Write(folder, new(Recipe.Simplify, []), managed, new byte[32], out var why));
        Assert.Contains("DynamicQuantizeGRU", why, StringComparison.Ordinal);
        Compare(name, tolerance, "dynamic-int8", new ManagedCosts(CostTable.Load("avx512vnni"), new Dictionary<string, long>()));
    }

    private (Model Model, Dataset Data) Int8(string name, string recipe = "int8", ICosts? costs = null)
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var zoo = ZooModel.Open(name);
        var source = ModelSource.Open(zoo.Model, new Dictionary<string, long>());
        var data = DataLoader.Open([zoo.Calibration], source.Interface, new(), "CalibrationData")!;
        var few = data.Subset([.. Enumerable.Range(0, Math.Min(data.Count, 8))]);
        var pipeline = new Compression.Planning.Pipeline(new TechniqueRegistry(), source.Simplified!, (m, _, names) => Calibrator.Run(m, few, names, 1));
        var model = pipeline.TryPlan(Recipe.Parse(recipe), BuiltInProfiles.Get("x64-avx512vnni"),
            costs ?? new OnnxRuntimeCosts(CostTable.Load("avx512vnni"), new Dictionary<string, long>()))!.Model;
        return (model, data);
    }

    private ManagedRunner Lower(Model model)
    {
        Assert.True(ManagedLowering.TryLower(model, new byte[32], ManagedLowering.Choose(model, null), out var program, out var why), why);
        var path = _folder.File("m.modelbuild");
        File.WriteAllBytes(path, program);
        return new(path, DescriptionBuilder.Of(model.Graph, new byte[32]));
    }

    private void CompareLayers(string name)
    {
        var (model, data) = Int8(name);
        model = model.Clone();
        ShapeInference.Run(model);
        var written = model.Graph.Nodes.Where(static n => n.Is("QuantizeLinear")).ToList();
        foreach (var q in written)
            model.Graph.AddOutput(q.Output);
        using var managed = Lower(model);
        var inputs = data[data.Count - 1].Inputs;
        var ours = managed.Run(inputs);
        var known = model.Graph.Inputs.Where(i => i.Constant is null).Select(i => KeyValuePair.Create(i, inputs[i.Name]))
            .Concat(written.Select(q => KeyValuePair.Create(q.Output, ours[q.Output.Name]))).ToDictionary();
        var integers = 0;
        foreach (var q in written)
        {
            var (reference, isInteger) = IntegerReference(q) is { } integer ? (integer, true) : (q.Output, false);
            var exact = new ConstantEvaluation(known.Where(k => !ReferenceEquals(k.Key, q.Output))).Of(reference)!;
            var (a, b) = (Numbers.Integers(ours[q.Output.Name]), Numbers.Integers(exact));
            var off = a.Zip(b).Where(static p => p.First != p.Second).Select(static p => Math.Abs(p.First - p.Second)).ToList();
            output.WriteLine($"{q.Inputs[0]!.Producer?.OpType} {q.Output.Name}: {off.Count} of {a.Length}");
            // What is interpolated or averaged is rounded once more.
            if (isInteger || q.Inputs[0]!.Producer is not { OpType: "Resize" or "AveragePool" or "GlobalAveragePool" or "Sigmoid" or "Softmax" })
                Assert.Empty(off);
            else
                Assert.All(off, static d => Assert.Equal(1, d));
            integers += isInteger ? 1 : 0;
        }
        Assert.Equal(written.Count(static q => ConvolutionOf(q) is { } c && c.Inputs[0]!.Producer!.Inputs[0]!.Constant is null), integers);
    }

    private static Node? ConvolutionOf(Node quantize)
    {
        var node = quantize.Inputs[0]!.Producer;
        if (node is { OpType: "Relu" or "Clip" })
            node = node.Inputs[0]!.Producer;
        return node is { OpType: "Conv" } && node.Inputs[0]!.Producer is { OpType: "DequantizeLinear" } && node.Inputs[1]!.Producer is { OpType: "DequantizeLinear" }
            ? node : null;
    }

    /// <summary>The same convolution as QLinearConv; an activation behind it is one of the integers' values, which quantizing again does not change.</summary>
    private static Value? IntegerReference(Node quantize)
    {
        if (ConvolutionOf(quantize) is not { } node)
            return null;
        var (graph, x, w, bias) = (node.Graph, node.Inputs[0]!.Producer!, node.Inputs[1]!.Producer!, node.Input(2)?.Producer);
        var linear = graph.AddNode("QLinearConv",
            [x.Inputs[0], x.Inputs[1], x.Inputs[2], w.Inputs[0], w.Inputs[1], w.Inputs[2], quantize.Inputs[1], quantize.Inputs[2], bias?.Inputs[0]],
            [$"{quantize.Output.Name}_integer"]);
        foreach (var (name, value) in node.Attributes)
            linear.Attributes[name] = value;
        var result = linear.Output;
        if (quantize.Inputs[0]!.Producer is { } activation && activation != node)
        {
            var real = graph.AddNode("DequantizeLinear", [result, quantize.Inputs[1], quantize.Inputs[2]], [$"{result.Name}_real"]).Output;
            var bounded = graph.AddNode(activation.OpType, [real, .. activation.Inputs.Skip(1)], [$"{result.Name}_bounded"]).Output;
            result = graph.AddNode("QuantizeLinear", [bounded, quantize.Inputs[1], quantize.Inputs[2]], [$"{result.Name}_again"]).Output;
        }
        return result;
    }

    private void Compare(string name, double tolerance, string recipe = "int8", ICosts? costs = null)
    {
        var (model, data) = Int8(name, recipe, costs);
        using var managed = Lower(model);
        var interpreter = new Interpreter(model);
        for (var s = 0; s < 3; s++)
        {
            var inputs = data[data.Count - 1 - s].Inputs;
            var (ours, exact) = (managed.Run(inputs), interpreter.Run(inputs));
            foreach (var value in model.Graph.Outputs)
            {
                var (a, b) = (ours[value.Name].ToArray<float>(), exact[value.Name].ToArray<float>());
                Assert.Equal(b.Length, a.Length);
                var most = b.Max(MathF.Abs);
                var worst = a.Zip(b, (x, y) => Math.Abs(x - y) / most).Max();
                output.WriteLine($"{name} sample {s} {value.Name}: {worst:0.0e0}");
                Assert.InRange(worst, 0, tolerance);
            }
        }
    }
}
