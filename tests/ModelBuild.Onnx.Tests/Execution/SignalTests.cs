namespace ModelBuild.Onnx.Tests;

/// <summary>Forms of the Fourier transforms that the published vectors leave out, against ONNX Runtime.</summary>
public sealed class SignalTests
{
    [Theory]
    // Shorter and longer than the signal of 9 samples, one-sided and not, real and complex, back and forth.
    [InlineData(1, 7, 0, 0)]
    [InlineData(1, 12, 0, 0)]
    [InlineData(1, 7, 0, 1)]
    [InlineData(1, 12, 0, 1)]
    [InlineData(2, 9, 0, 0)]
    [InlineData(2, 7, 1, 0)]
    [InlineData(2, 12, 1, 0)]
    public void Transforms_of_other_lengths(int parts, int length, long inverse, long onesided)
    {
        var model = Model(ElementType.Float, [2, 9, 3, parts]);
        var node = model.Graph.AddNode("DFT", [model.Graph.Inputs[0], model.Graph.AddInitializer("length", Tensor.Scalar((long)length)),
            model.Graph.AddInitializer("axis", Tensor.Scalar(1L))], ["y"]);
        node.Attributes["inverse"] = inverse;
        node.Attributes["onesided"] = onesided;
        Compare(model, node.Output);
    }

    [Theory]
    [InlineData(1, 1, true)]
    [InlineData(1, 0, true)]
    [InlineData(1, 1, false)]
    public void Frames_of_a_signal(int parts, long onesided, bool window)
    {
        var model = Model(ElementType.Float, [2, 40, parts]);
        var g = model.Graph;
        var weights = window ? g.AddInitializer("window", Tensor.Vector(Enumerable.Range(1, 11).Select(i => i / 11f).ToArray())) : null;
        var node = g.AddNode("STFT", [g.Inputs[0], g.AddInitializer("step", Tensor.Scalar(4L)), weights,
            window ? null : g.AddInitializer("length", Tensor.Scalar(11L))], ["y"]);
        node.Attributes["onesided"] = onesided;
        Compare(model, node.Output);
    }

    private static Model Model(ElementType type, long[] shape)
    {
        var model = new Model { IrVersion = 9, Opset = 20 };
        model.Graph.AddInput("x", TensorType.Of(type, shape));
        return model;
    }

    private static void Compare(Model model, Value output)
    {
        output.Type = new(ElementType.Float, default);
        model.Graph.AddOutput(output);
        var inferred = ShapeInference.Run(model).TypeOf(output);
        var inputs = RandomInputs.Of(model, 5, (_, _) => 1);
        var expected = OnnxRuntimeSession.Run(OnnxWriter.ToBytes(model), inputs)["y"];
        var actual = new Interpreter(model).Run(inputs)["y"];
        Assert.Equal(expected.Shape.AsEnumerable(), actual.Shape);
        Assert.Equal(expected.Type, inferred);
        Assert.True(Zoo.Difference(expected, actual) <= 1e-5);
    }
}
