using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Planning;

/// <summary>Candidates are priced by the kernels that run for them on the user's data.</summary>
public sealed class KernelCostTests : IDisposable
{
    private readonly Nets _nets = new();

    public void Dispose() => _nets.Dispose();

    private static readonly CostTable Table = CostTable.Load("avx512vnni");

    private static Sample Of(string name, Tensor value) => new(new Dictionary<string, Tensor> { [name] = value }, null, new Dictionary<string, Tensor>());

    private IReadOnlyList<KernelClass> Kernels(Model model, Sample sample) => OnnxRuntimeCostModel.KernelsOf(model, _nets.Write(model), sample);

    private static Model Net(Func<Graph, Value, Value> body, params long[] shape)
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        var x = model.Graph.AddInput("x", new(ElementType.Float, [Dimension.Named("n"), .. shape.Skip(1).Select(d => Dimension.Of(d))]));
        model.Graph.AddOutput(body(model.Graph, x));
        return model;
    }

    [Fact]
    public void Rows_and_weights_of_products_are_counted_apart()
    {
        KernelClass Product(long rows) =>
            Kernels(Net((g, x) => g.AddNode("MatMul", [x, g.AddInitializer("w", Tensor.Of(Nets.Noise(64 * 32, 1), 64, 32))], ["y"]).Output, 1, 64),
            Of("x", Tensor.Of(Nets.Noise((int)rows * 64, 2), rows, 64))).Single(k => k.Class == "gemm");
        Assert.Equal(new(64 * 32, 32, 64, 64 * 32), Product(1).Work);
        Assert.Equal(new(128 * 64 * 32, 128 * 32, 128 * 64, 64 * 32), Product(128).Work);
        // 128 rows are cheaper than 128 products of one row.
        double Cost(long rows) => Table.Of("onnxruntime", "gemm", "float32", Product(rows).Work);
        Assert.InRange(Cost(128) / Cost(1), 2, 100);
    }

    [Fact]
    public void What_the_runtime_fuses_is_not_counted()
    {
        var kernels = Kernels(Net((g, x) =>
            g.AddNode("Relu", [g.AddNode("MatMul", [x, g.AddInitializer("w", Tensor.Of(Nets.Noise(64 * 64, 1), 64, 64))], ["h"]).Output], ["y"]).Output, 1,
            64), Of("x", Tensor.Of(Nets.Noise(64, 2), 1, 64)));
        var gelu = Kernels(Net((g, x) =>
        {
            var erf = g.AddNode("Erf", [g.AddNode("Div", [x, g.AddInitializer("r", Tensor.Scalar(1.4142135f))], ["d"]).Output], ["e"]).Output;
            var sum = g.AddNode("Add", [erf, g.AddInitializer("one", Tensor.Scalar(1f))], ["s"]).Output;
            return g.AddNode("Mul", [g.AddNode("Mul", [x, sum], ["m"]).Output, g.AddInitializer("half", Tensor.Scalar(0.5f))], ["y"]).Output;
        }, 1, 64), Of("x", Tensor.Of(Nets.Noise(64, 2), 1, 64)));
        Assert.Contains(kernels, k => k.Class == "gemm");
        Assert.Equal([("transcendental", 64.0)], gelu.Select(k => (k.Class, k.Work.Units)));
    }

    [Fact]
    public void Bodies_are_counted_as_often_as_they_run()
    {
        var model = Net((graph, x) =>
        {
            var step = new Graph(graph.Model, graph) { Name = "step" };
            step.AddInput("turn", TensorType.Of(ElementType.Int64));
            var on = step.AddInput("on", TensorType.Of(ElementType.Bool));
            var state = step.AddInput("state", new(ElementType.Float, [Dimension.Unknown, Dimension.Of(16)]));
            step.AddOutput(step.AddNode("Identity", [on], ["still"]).Output);
            step.AddOutput(step.AddNode("MatMul", [state, step.AddInitializer("w", Tensor.Of(Nets.Noise(256, 1), 16, 16))], ["next"]).Output);
            var loop = graph.AddNode("Loop", [graph.AddInitializer("turns", Tensor.Scalar(5L)), graph.AddInitializer("go", Tensor.Scalar(true)), x], ["y"]);
            loop.Attributes["body"] = step;
            loop.Output.Type = new(ElementType.Float, [Dimension.Named("n"), Dimension.Of(16)]);
            return loop.Output;
        }, 1, 16);
        Assert.Equal(5, Kernels(model, Of("x", Tensor.Of(Nets.Noise(32, 2), 2, 16))).Count(k => k is { Class: "gemm", Work.Units: 2 * 16 * 16 }));
    }

    [Theory]
    [InlineData(false, "conv")]
    [InlineData(true, "conv-plain")]
    public void Convolutions_whose_weights_the_caller_may_replace_run_without_blocks(bool replaceable, string expected)
    {
        var model = Net((g, x) =>
        {
            var w = g.AddInitializer("w", Tensor.Of(Nets.Noise(16 * 16 * 9, 1), 16, 16, 3, 3));
            if (replaceable)
                g.MarkInput(w);
            return g.AddNode("Conv", [x, w], ["y"]).Output;
        }, 1, 16, 10, 10);
        if (replaceable)
            model.IrVersion = 3;
        var conv = Kernels(model, Of("x", Tensor.Of(Nets.Noise(1600, 2), 1, 16, 10, 10))).Single(k => k.Class.StartsWith("conv", StringComparison.Ordinal));
        Assert.Equal((expected, 64.0 * 16 * 16 * 9, 64.0 * 16), (conv.Class, conv.Work.Units, conv.Work.Outputs));
    }

    /// <summary>Every class that a kernel may be of has a line in every table.</summary>
    [Theory]
    [InlineData("arm64")]
    [InlineData("avx2")]
    [InlineData("avx512")]
    [InlineData("avx512vnni")]
    [InlineData("avxvnni")]
    [InlineData("wasm-simd")]
    public void Tables_have_a_line_for_each_class(string cpu)
    {
        var table = CostTable.Load(cpu);
        string[] operators = ["Conv", "QLinearConv", "ConvTranspose", "Gemm", "QGemm", "MatMulIntegerToFloat", "LSTM", "DynamicQuantizeLSTM", "Attention",
            "QAttention", "Softmax", "LayerNormalization", "Gelu", "QLinearSigmoid",
            "MaxPool", "ReduceMean", "Reshape", "Transpose", "ReorderInput", "Resize", "Concat", "QuantizeLinear", "DequantizeLinear", "Cast", "Add",
                "TreeEnsembleClassifier"];
        foreach (var op in operators)
            foreach (var type in new[] { "float", "uint8", "int64", "string" })
                foreach (var shape in new long[][] { [1, 4, 5, 5], [2, 3], [] })
                    foreach (var blocks in new[] { true, false })
                    {
                        var tensor = new TracedTensor(type, [.. shape]);
                        var w = new TracedTensor(type, [4, 1, 3, 3]);
                        var kernel = new TracedKernel(op, [tensor, w, w, w, w], [tensor]);
                        if (KernelClass.Of(kernel, blocks) is { } k)
                            Assert.InRange(table.Of("onnxruntime", k.Class, k.Precision, k.Work), 0, double.MaxValue);
                    }
        // What no kernel is known to be of costs something, too.
        Assert.Equal("elementwise", KernelClass.Of(new TracedKernel("Unheard", [], []), true)!.Value.Class);
    }
}
