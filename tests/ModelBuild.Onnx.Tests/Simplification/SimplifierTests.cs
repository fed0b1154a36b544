namespace ModelBuild.Onnx.Tests;

public sealed class SimplifierTests
{
    [Fact]
    public void Shape_arithmetic_disappears_where_dimensions_are_fixed()
    {
        var model = new Model { Opset = 17 };
        var g = model.Graph;
        var x = g.AddInput("x", new(ElementType.Float, [Dimension.Named("batch"), 4, 6]));
        var shape = g.AddNode("Shape", [x], ["shape"]);
        var batch = g.AddNode("Gather", [shape.Output, g.AddInitializer("zero", Tensor.Scalar(0L))], ["batch"]);
        var rows = g.AddNode("Unsqueeze", [batch.Output, g.AddInitializer("axes", Tensor.Vector(0L))], ["rows"]);
        var target = g.AddNode("Concat", [rows.Output, g.AddInitializer("rest", Tensor.Vector(24L))], ["target"]);
        target.Attributes["axis"] = 0;
        var y = g.AddNode("Reshape", [x, target.Output], ["y"]);
        foreach (var n in g.Nodes)
            n.Sources = [n.OpType];
        g.AddOutput(y.Output);
        y.Output.Type = new(ElementType.Float, [Dimension.Named("batch"), 24]);

        Simplifier.Run(model);

        var only = Assert.Single(g.Nodes);
        Assert.Equal("Reshape", only.OpType);
        Assert.Equal([-1L, 24L], only.Input(1)!.Constant!.ToArray<long>());
        Assert.Equal("y", g.Outputs[0].Name);
    }

    [Fact]
    public void Folding_does_not_blow_up_the_model()
    {
        var model = new Model { Opset = 17 };
        var g = model.Graph;
        var x = g.AddInput("x", TensorType.Of(ElementType.Float, 1));
        var huge = g.AddNode("ConstantOfShape", [g.AddInitializer("shape", Tensor.Vector(1L << 14, 1L << 14))], ["huge"]);
        var y = g.AddNode("Add", [x, huge.Output], ["y"]);
        g.AddOutput(y.Output);
        y.Output.Type = TensorType.Of(ElementType.Float, 1L << 14, 1L << 14);
        Simplifier.Run(model);
        Assert.Contains(g.Nodes, n => n.Is("ConstantOfShape"));
    }

    [Fact]
    public void An_output_that_equals_an_input_keeps_its_identity()
    {
        var model = new Model { Opset = 17 };
        var g = model.Graph;
        var x = g.AddInput("x", TensorType.Of(ElementType.Float, 3));
        var y = g.AddNode("Identity", [x], ["y"]);
        g.AddOutput(y.Output);
        y.Output.Type = x.Type;
        Simplifier.Run(model);
        Assert.Single(g.Nodes);
        Assert.Equal("y", g.Outputs[0].Name);
    }

    [Fact]
    public void Dequantized_weights_stay_quantized()
    {
        var model = new Model { Opset = 17 };
        var g = model.Graph;
        var x = g.AddInput("x", TensorType.Of(ElementType.Float, 1, 2));
        var w = g.AddNode("DequantizeLinear", [g.AddInitializer("w", Tensor.Of(new sbyte[] { 1, 2, 3, 4 }, 2, 2)), g.AddInitializer("s", Tensor.Scalar(0.5f))],
            ["wf"]);
        var y = g.AddNode("MatMul", [x, w.Output], ["y"]);
        g.AddOutput(y.Output);
        y.Output.Type = TensorType.Of(ElementType.Float, 1, 2);
        Simplifier.Run(model);
        Assert.Equal(2, g.Nodes.Count);
    }

    [Fact]
    public void Folded_layers_keep_the_names_of_what_they_compute_and_all_sources()
    {
        var model = new Model { Opset = 17 };
        var g = model.Graph;
        var x = g.AddInput("x", TensorType.Of(ElementType.Float, 1, 1, 2, 2));
        var conv = g.AddNode("Conv", [x, g.AddInitializer("w", Tensor.Of(new[] { 2f }, 1, 1, 1, 1))], ["c"]);
        conv.Sources = ["conv"];
        var bn = g.AddNode("BatchNormalization", [conv.Output, .. new[] { 3f, 1f, 0.5f, 4f }.Select((v, i) => g.AddInitializer($"p{i}", Tensor.Vector(v)))],
            ["n"]);
        bn.Sources = ["bn"];
        bn.Attributes["epsilon"] = 0f;
        var relu = g.AddNode("Relu", [bn.Output], ["y"]);
        relu.Sources = ["relu"];
        g.AddOutput(relu.Output);
        relu.Output.Type = x.Type;
        var inputs = new Dictionary<string, Tensor> { ["x"] = Tensor.Of(new[] { 1f, -1f, 2f, 0.25f }, 1, 1, 2, 2) };
        var before = new Interpreter(model).Run(inputs, ["n"])["n"];

        Simplifier.Run(model);

        Assert.Equal(["Conv", "Relu"], g.Nodes.Select(n => n.OpType));
        Assert.Equal(["conv", "bn"], g.Nodes[0].Sources.ToArray());
        Assert.Equal(before.ToArray<float>(), new Interpreter(model).Run(inputs, ["n"])["n"].ToArray<float>());
    }
}
