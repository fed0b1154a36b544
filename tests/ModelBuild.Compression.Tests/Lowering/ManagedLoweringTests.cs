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
        if (!ManagedLowering.TryLower(model, new byte[32], ManagedLowering.Choose(model, null), out var program, out var why))
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
        Assert.False(ManagedLowering.TryLower(model, new byte[32], ManagedLowering.Choose(model, null), out _, out var why));
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

    /// <summary>Branches that read one image of the graph around them, with padding each, one of them with a branch of its own; the image is read behind
    /// them, too.</summary>
    [Fact]
    public void Branches_are_taken_by_data()
    {
        var (model, x) = Start();
        var graph = model.Graph;
        var image = Node(graph, "Reshape", "image", x, graph.AddInitializer("shape", Tensor.Vector([-1L, 2, 3, 4])));
        Value Convolved(Graph g, string name, Value of, int seed)
        {
            var conv = g.AddNode("Conv", [of, g.AddInitializer(name + "_w", Floats(seed, 2, 2, 3, 3))], [name]);
            conv.Attributes["pads"] = new long[] { 1, 1, 1, 1 };
            return conv.Output;
        }
        var shared = Convolved(graph, "shared", image, 1);
        Value Condition(Graph g, string name, float limit)
        {
            var sum = g.AddNode("ReduceSum", [x], [name + "_sum"]);
            sum.Attributes["keepdims"] = 0L;
            return Node(g, "Less", name, sum.Output, g.AddInitializer(name + "_limit", Tensor.Scalar(limit)));
        }
        Value Branch(Graph g, string name, Value condition, Action<Graph> yes, Action<Graph> no)
        {
            var node = g.AddNode("If", [condition], [name]);
            foreach (var (key, fill) in new[] { ("then_branch", yes), ("else_branch", no) })
            {
                var body = new Graph(model, g) { Name = name + key };
                fill(body);
                node.Attributes[key] = body;
            }
            return node.Output;
        }
        var taken = Branch(graph, "taken", Condition(graph, "negative", 0), yes =>
        {
            var inner = Branch(yes, "inner", Condition(yes, "small", -3), a => a.AddOutput(Convolved(a, "a", shared, 2)), b => b.AddOutput(Node(b, "Neg", "b", shared)));
            yes.AddOutput(Node(yes, "Relu", "yes", inner));
        }, no => no.AddOutput(Convolved(no, "no", shared, 3)));
        var y = Node(graph, "Add", "y", taken, Convolved(graph, "last", shared, 4));
        y.Type = new TensorType(ElementType.Float, [Dimension.Named("batch"), 2, 3, 4]);
        graph.AddOutput(y);
        Assert.Null(WhyNot(model));
    }

    /// <summary>Branches that differ in rank: the one for a dimension of 1 is compiled, and other sizes are refused.</summary>
    [Fact]
    public void A_branch_by_size_is_decided_for_one()
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        var graph = model.Graph;
        var x = graph.AddInput("x", new TensorType(ElementType.Float, [Dimension.Named("a"), Dimension.Named("b")]));
        var length = Node(graph, "Gather", "length", Node(graph, "Shape", "shape", x), graph.AddInitializer("one", Tensor.Scalar(1L)));
        var node = graph.AddNode("If", [Node(graph, "Equal", "single", length, graph.AddInitializer("one_more", Tensor.Scalar(1L)))], ["y"]);
        foreach (var (key, op) in new[] { ("then_branch", "Squeeze"), ("else_branch", "Neg") })
        {
            var body = new Graph(model, graph) { Name = key };
            body.AddOutput(op == "Neg" ? Node(body, op, key, x) : Node(body, op, key, x, body.AddInitializer("axis", Tensor.Vector([1L]))));
            node.Attributes[key] = body;
        }
        var y = Node(graph, "Exp", "e", node.Output);
        y.Type = new TensorType(ElementType.Float, default);
        graph.AddOutput(y);
        ShapeInference.Run(model);
        Assert.True(ManagedLowering.TryLower(model, new byte[32], ManagedLowering.Choose(model, null), out var program, out var why), why);
        var path = _nets.Folder.File("m.modelbuild");
        File.WriteAllBytes(path, program);
        using var managed = new ManagedRunner(path, DescriptionBuilder.Of(model.Graph, new byte[32]));
        IReadOnlyDictionary<string, Tensor> Inputs(long columns) => new Dictionary<string, Tensor> { ["x"] = Floats(1, 5, columns) };
        Assert.Equal(new Interpreter(model).Run(Inputs(1))["e"].ToArray<float>(), managed.Run(Inputs(1))["e"].ToArray<float>(), (a, b) => Math.Abs(a - b) < 1e-6);
        Assert.Contains("1 are needed", Assert.Throws<ArgumentException>(() => managed.Run(Inputs(2))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("reflect", 2, 1)]
    [InlineData("edge", 3, 2)]
    [InlineData("wrap", 1, 2)]
    [InlineData("reflect", 0, 40)]
    public void Pads_by_what_is_there_along_a_named_dimension(string mode, long before, long after)
    {
        var model = new Model { IrVersion = 10, Opset = 19 };
        var graph = model.Graph;
        // A named dimension is 3 in the comparison.
        var x = graph.AddInput("x", new TensorType(ElementType.Float, [Dimension.Named("batch"), 4]));
        var padded = graph.AddNode("Pad", [x, graph.AddInitializer("pads", Tensor.Vector([Math.Min(before, 2), before, Math.Min(after, 2), after]))], ["y"]);
        padded.Attributes["mode"] = mode;
        padded.Output.Type = new TensorType(ElementType.Float, [Dimension.Named("rows"), 4 + before + after]);
        graph.AddOutput(padded.Output);
        Assert.Null(WhyNot(model, interpreted: after > 4));
    }
}
