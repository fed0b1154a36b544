using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Lowering;

/// <summary>What the managed backend takes answers as ONNX Runtime does; what it does not take is refused by name. Forms that other tools write are not ours
/// alone.</summary>
public sealed class ManagedLoweringTests : IDisposable
{
    private const int Inputs = 24, Outputs = 10;
    private readonly Nets _nets = new();

    public void Dispose() => _nets.Dispose();

    private static Tensor Floats(int seed, params long[] shape) => Tensor.Of(Nets.Noise((int)Tensor.Count(shape), seed), shape);

    private static Tensor Bytes(int seed, params long[] shape) => Tensor.Of(Nets.Noise((int)Tensor.Count(shape), seed).Select(v => (sbyte)(v * 100)).ToArray(),
        shape);

    /// <summary>Lowers a model and compares both backends, or the managed one and the interpreter, on three inputs; or tells why it is not lowered.</summary>
    private string? WhyNot(Model model, double tolerance = 1e-5, bool interpreted = false)
    {
        ShapeInference.Run(model);
        if (!ManagedLowering.TryLower(model, new byte[32], out var program, out var why))
            return why;
        var path = _nets.Folder.File("m.modelbuild");
        File.WriteAllBytes(path, program);
        using var managed = new ManagedRunner(path, DescriptionBuilder.Of(model.Graph, new byte[32]));
        using var runtime = interpreted ? null : new OnnxRuntimeRunner(_nets.Write(model));
        for (var seed = 10; seed < 13; seed++)
        {
            var inputs = model.Graph.Inputs.ToDictionary(i => i.Name, i => Floats(seed, [.. i.Type!.Shape.Select(d => d.IsConstant ? d.Value : 3)]));
            var (ours, theirs) = (managed.Run(inputs), runtime?.Run(inputs) ?? new Interpreter(model).Run(inputs));
            foreach (var output in model.Graph.Outputs)
            {
                var (a, b) = (ours[output.Name].ToArray<float>(), theirs[output.Name].ToArray<float>());
                Assert.Equal(b.Length, a.Length);
                var scale = b.Max(Math.Abs);
                for (var i = 0; i < a.Length; i++)
                    Assert.InRange(Math.Abs(a[i] - b[i]), 0, tolerance * scale);
            }
        }
        return null;
    }

    private static (Model Model, Value X) Start()
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        return (model, model.Graph.AddInput("x", new TensorType(ElementType.Float, [Dimension.Named("batch"), Inputs])));
    }

    private static void Finish(Model model, Value y, long columns = Outputs)
    {
        y.Type = new TensorType(ElementType.Float, [Dimension.Named("batch"), columns]);
        model.Graph.AddOutput(y);
    }

    private static Value Node(Graph graph, string op, string name, params Value?[] inputs) => graph.AddNode(op, inputs, [name]).Output;

    /// <summary>Quantize, dequantize, and a Gemm over dequantized weights, with the parts that differ from tool to tool.</summary>
    private static Model Quantized(Func<Graph, (Tensor Scales, long Axis)> weightScales, Func<double, float>? biasScale = null, Tensor? weights = null,
        long transB = 0, int biasZero = 0, int outputs = Outputs)
    {
        var (model, x) = Start();
        var graph = model.Graph;
        Value Scalar(string name, float v) => graph.AddInitializer(name, Tensor.Scalar(v));
        var (inputScale, zero) = (Scalar("xs", 0.01f), graph.AddInitializer("xz", Tensor.Scalar((byte)128)));
        var read = Node(graph, "DequantizeLinear", "xf", Node(graph, "QuantizeLinear", "xq", x, inputScale, zero), inputScale, zero);
        weights ??= Bytes(1, Inputs, outputs);
        var (scales, axis) = weightScales(graph);
        var zeros = graph.AddInitializer("wz", scales.Rank == 0 ? Tensor.Scalar((sbyte)0) : Tensor.Vector(new sbyte[scales.Length]));
        var w = graph.AddNode("DequantizeLinear", [graph.AddInitializer("w", weights), graph.AddInitializer("ws", scales), zeros], ["wf"]);
        w.Attributes["axis"] = axis;
        var of = biasScale ?? (static unit => (float)unit);
        var first = scales.Span<float>()[0];
        var bias = graph.AddNode("DequantizeLinear",
            [graph.AddInitializer("b", Tensor.Vector(Enumerable.Range(0, outputs).Select(i => 50 * i - 200).ToArray())),
            graph.AddInitializer("bs", Tensor.Vector(Enumerable.Range(0, outputs)
                .Select(i => of((double)0.01f * (scales.Length == outputs ? scales.Span<float>()[i] : first))).ToArray())),
            biasZero == 0 ? null : graph.AddInitializer("bz", Tensor.Vector(Enumerable.Repeat(biasZero, outputs).ToArray()))], ["bf"]);
        bias.Attributes["axis"] = 0L;
        var gemm = graph.AddNode("Gemm", [read, w.Output, bias.Output], ["y"]);
        gemm.Attributes["transB"] = transB;
        Finish(model, gemm.Output, outputs);
        return model;
    }

    private static (Tensor, long) OneScale(Graph graph) => (Tensor.Scalar(0.02f), 1);

    private static Tensor Ramp(int count) => Tensor.Vector(Enumerable.Range(0, count).Select(i => 0.01f + i * 0.003f).ToArray());

    [Fact]
    public void Integer_products_with_one_scale_or_one_an_output_are_taken()
    {
        Assert.Null(WhyNot(Quantized(OneScale)));
        Assert.Null(WhyNot(Quantized(_ => (Ramp(Outputs), 1))));
        Assert.Null(WhyNot(Quantized(_ => (Ramp(Outputs), -1))));
        Assert.Null(WhyNot(Quantized(_ => (Ramp(Outputs), 0), weights: Bytes(1, Outputs, Inputs), transB: 1)));
    }

    [Fact]
    public void Scales_and_biases_that_the_kernel_does_not_mean_are_computed_in_floats()
    {
        // ONNX Runtime takes scales and biases for those that its kernel means.
        // One scale an input: as many as outputs where the matrix is square.
        var square = Quantized(_ => (Ramp(Inputs), 0), weights: Bytes(1, Inputs, Inputs), outputs: Inputs);
        Assert.Null(WhyNot(square, interpreted: true));
        Assert.Null(WhyNot(Quantized(OneScale, unit => (float)(unit * 2)), interpreted: true));
        Assert.Null(WhyNot(Quantized(OneScale, biasZero: 3), interpreted: true));
    }

    /// <summary>The chain of dynamic quantization, in the orders in which tools multiply.</summary>
    [Theory]
    [InlineData("scales together")]
    [InlineData("input's scale first")]
    [InlineData("weights' scale first")]
    [InlineData("one scale, with a zero point")]
    [InlineData("unsigned weights")]
    [InlineData("three dimensions")]
    public void Dynamic_products_are_taken_in_the_orders_that_tools_write(string form)
    {
        var (model, x) = Start();
        var graph = model.Graph;
        var read = form == "three dimensions" ? Node(graph, "Unsqueeze", "u", x, graph.AddInitializer("axes", Tensor.Vector(0L))) : x;
        var quantizer = graph.AddNode("DynamicQuantizeLinear", [read], ["q", "s", "z"]);
        var unsigned = form == "unsigned weights";
        var weights = unsigned ? Tensor.Of(Bytes(1, Inputs, Outputs).ToArray<sbyte>().Select(w => (byte)(w + 128)).ToArray(), Inputs, Outputs)
            : Bytes(1, Inputs, Outputs);
        var zero = unsigned ? graph.AddInitializer("wz", Tensor.Scalar((byte)128))
            : form == "one scale, with a zero point" ? graph.AddInitializer("wz", Tensor.Scalar((sbyte)0)) : null;
        var scales = graph.AddInitializer("ws", form == "one scale, with a zero point" ? Tensor.Scalar(0.01f) : Ramp(Outputs));
        var cast = graph.AddNode("Cast", [Node(graph, "MatMulInteger", "i", quantizer.Outputs[0], graph.AddInitializer("w", weights), quantizer.Outputs[2], zero)],
            ["f"]);
        cast.Attributes["to"] = (long)ElementType.Float;
        var scaled = form switch
        {
            "input's scale first" => Node(graph, "Mul", "r", Node(graph, "Mul", "rs", cast.Output, quantizer.Outputs[1]), scales),
            "weights' scale first" => Node(graph, "Mul", "r", quantizer.Outputs[1], Node(graph, "Mul", "rs", scales, cast.Output)),
            _ => Node(graph, "Mul", "r", Node(graph, "Mul", "rs", scales, quantizer.Outputs[1]), cast.Output),
        };
        var y = Node(graph, "Add", "b", scaled, graph.AddInitializer("bias", Floats(3, Outputs)));
        Finish(model, form == "three dimensions" ? Node(graph, "Squeeze", "y", y, graph.Find("axes")) : y);
        Assert.Null(WhyNot(model));
    }

    [Fact]
    public void A_product_of_integers_with_a_known_zero_point_is_taken()
    {
        var (model, x) = Start();
        var graph = model.Graph;
        var zero = graph.AddInitializer("z", Tensor.Scalar((byte)100));
        var q = Node(graph, "QuantizeLinear", "q", x, graph.AddInitializer("s", Tensor.Scalar(0.02f)), zero);
        var cast = graph.AddNode("Cast", [Node(graph, "MatMulInteger", "i", q, graph.AddInitializer("w", Bytes(1, Inputs, Outputs)), zero)], ["f"]);
        cast.Attributes["to"] = (long)ElementType.Float;
        Finish(model, Node(graph, "Mul", "y", cast.Output, graph.AddInitializer("ws", Ramp(Outputs))));
        Assert.Null(WhyNot(model));
    }

    [Theory]
    [InlineData("Sigmoid")]
    [InlineData("Softmax")]
    public void Operators_on_integers_are_refused_by_name(string op)
    {
        var (model, x) = Start();
        var graph = model.Graph;
        var (scale, zero) = (graph.AddInitializer("s", Tensor.Scalar(0.1f)), graph.AddInitializer("z", Tensor.Scalar((sbyte)0)));
        var q = Node(graph, "QuantizeLinear", "q", x, scale, zero);
        var inner = Node(graph, op, "inner", q);
        Finish(model, Node(graph, "DequantizeLinear", "y", inner, scale, zero), Inputs);
        ShapeInference.Run(model);
        Assert.False(ManagedLowering.TryLower(model, new byte[32], out _, out var why));
        Assert.Contains("(inner)'", why, StringComparison.Ordinal);
        Assert.Contains("Int8", why, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 1f, 1f)]
    [InlineData(1, 1f, 1f)]
    [InlineData(0, 0.5f, 2f)]
    [InlineData(1, -1.5f, 0f)]
    public void A_gemm_with_factors_and_transposition_is_taken(long transB, float alpha, float beta)
    {
        var (model, x) = Start();
        var graph = model.Graph;
        var gemm = graph.AddNode("Gemm", [x, graph.AddInitializer("w", transB == 0 ? Floats(1, Inputs, Outputs) : Floats(1, Outputs, Inputs)),
            graph.AddInitializer("b", Floats(2, Outputs))], ["h"]);
        gemm.Attributes["transB"] = transB;
        gemm.Attributes["alpha"] = alpha;
        gemm.Attributes["beta"] = beta;
        Finish(model, Node(graph, "Relu", "y", gemm.Output));
        Assert.Null(WhyNot(model));
    }

    [Fact]
    public void Rows_scalars_views_and_activations_are_taken()
    {
        var (model, x) = Start();
        var graph = model.Graph;
        var h = Node(graph, "Tanh", "t", Node(graph, "Mul", "m", Node(graph, "Add", "a", graph.AddInitializer("row", Floats(1, Inputs)), x),
            graph.AddInitializer("k", Tensor.Scalar(0.7f))));
        var clipped = Node(graph, "Clip", "c", Node(graph, "Add", "a2", h, x), graph.AddInitializer("low", Tensor.Scalar(-0.5f)),
            graph.AddInitializer("high", Tensor.Scalar(0.6f)));
        Finish(model, Node(graph, "Softmax", "y", clipped), Inputs);
        Assert.Null(WhyNot(model, 1e-4));
    }

    [Fact]
    public void What_broadcasts_otherwise_is_refused_by_name()
    {
        var (model, x) = Start();
        Finish(model, Node(model.Graph, "Add", "y", x, model.Graph.AddInitializer("column", Floats(1, 3, 1))), Inputs);
        Assert.Contains("(y)'", WhyNot(model), StringComparison.Ordinal);
    }
}
