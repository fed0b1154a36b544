using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Execution;

public class OptimizedGraphTests
{
    [Fact]
    public void Weights_that_are_dequantized_in_every_run_are_found()
    {
        var (model, x) = Model(4, 64);
        Finish(model, model.Graph.AddNode("Mul", [x, Dequantize(model, Integers(model, "w", 4, 64))], ["y"]));

        var optimized = Optimize(model);

        Assert.Equal(["w"], optimized.DequantizedConstants);
        Assert.Equal(4 * 64, optimized.DequantizedElements);
        Assert.Equal(new Dictionary<string, int> { ["DequantizeLinear"] = 1, ["Mul"] = 1 }, optimized.Operators);
    }

    [Fact]
    public void Weights_of_an_integer_kernel_are_not_dequantized()
    {
        var (model, x) = Model(4, 64);
        var product = model.Graph.AddNode("MatMul", [Dequantize(model, Quantize(model, x)), Dequantize(model, Integers(model, "w", 64, 32))], ["product"]);
        Finish(model, model.Graph.AddNode("DequantizeLinear", [Quantize(model, product.Output), model.Graph.AddInitializer("s", Tensor.Scalar(0.1f)),
            model.Graph.AddInitializer("z", Tensor.Scalar((sbyte)0))], ["y"]));

        var optimized = Optimize(model);

        Assert.Empty(optimized.DequantizedConstants);
        Assert.Equal(1, optimized.Operators["QLinearMatMul"]);
    }

    [Fact]
    public void What_ONNX_Runtime_fuses_is_seen()
    {
        var fused = Optimize(Gelu(2));
        // Twice the error function of something that is no multiple of the square root of 2.
        var other = Optimize(Gelu(3));

        Assert.Equal(1, fused.Operators["com.microsoft.Gelu"]);
        Assert.False(other.Operators.ContainsKey("com.microsoft.Gelu"));
        Assert.True(other.Nodes > fused.Nodes);
    }

    private static Model Gelu(double squared)
    {
        var (model, x) = Model(4, 64);
        var g = model.Graph;
        var scaled = g.AddNode("Div", [x, g.AddInitializer("root", Tensor.Scalar((float)Math.Sqrt(squared)))], ["scaled"]);
        var error = g.AddNode("Erf", [scaled.Output], ["error"]);
        var shifted = g.AddNode("Add", [error.Output, g.AddInitializer("one", Tensor.Scalar(1f))], ["shifted"]);
        var product = g.AddNode("Mul", [x, shifted.Output], ["product"]);
        Finish(model, g.AddNode("Mul", [product.Output, g.AddInitializer("half", Tensor.Scalar(0.5f))], ["y"]));
        return model;
    }

    private static (Model Model, Value X) Model(params long[] shape)
    {
        var model = new Model { Opset = 17 };
        return (model, model.Graph.AddInput("x", TensorType.Of(ElementType.Float, shape)));
    }

    private static Value Integers(Model model, string name, params long[] shape) =>
        model.Graph.AddInitializer(name, Tensor.Of(Enumerable.Range(0, (int)Tensor.Count(shape)).Select(i => (sbyte)(i * 7 % 200 - 100)).ToArray(), shape));

    private static Value Dequantize(Model model, Value integers) =>
        model.Graph.AddNode("DequantizeLinear",
            [integers, model.Graph.AddInitializer("s", Tensor.Scalar(0.1f)), model.Graph.AddInitializer("z", Tensor.Scalar((sbyte)0))], ["floats"]).Output;

    private static Value Quantize(Model model, Value floats) =>
        model.Graph.AddNode("QuantizeLinear",
            [floats, model.Graph.AddInitializer("s", Tensor.Scalar(0.1f)), model.Graph.AddInitializer("z", Tensor.Scalar((sbyte)0))], ["integers"]).Output;

    private static void Finish(Model model, Node last)
    {
        last.Output.Type = new(ElementType.Float, default);
        model.Graph.AddOutput(last.Output);
    }

    private static OptimizedGraph Optimize(Model model)
    {
        using var folder = new TemporaryFolder();
        OnnxWriter.Write(model, folder.File("model.onnx"));
        return OptimizedGraph.Of(folder.File("model.onnx"));
    }
}
