namespace ModelBuild.Onnx.Tests.Simplification;

/// <summary>Channels that nothing is made of go, and the answers stay.</summary>
public sealed class DeadChannelTests
{
    // Of 40 filters: 20 are 0 with a bias below 0, 10 are 0 with one above, 10 count.
    private static Model Net(long[] kernel, long[] pads, bool depthwise = false, bool isOutput = false)
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        var graph = model.Graph;
        var x = graph.AddInput("x", TensorType.Of(ElementType.Float, 1, 3, 6, 6));
        float[] weights = Noise(40 * 3 * 9, 1), bias = Noise(40, 2);
        for (var c = 0; c < 40; c++)
        {
            if (c % 4 == 3)
                continue;
            weights.AsSpan(c * 27, 27).Clear();
            bias[c] = c % 4 < 2 ? -0.5f : 0.5f + c / 100f;
        }
        var first = graph.AddNode("Conv", [x, Constant("w", weights, 40, 3, 3, 3), Constant("b", bias, 40)], ["y"]);
        var value = graph.AddNode("Relu", [first.Output], ["r"]).Output;
        if (depthwise)
        {
            var between = graph.AddNode("Conv", [value, Constant("dw", Noise(40 * 9, 3), 40, 1, 3, 3), Constant("db", Noise(40, 4), 40)], ["d"]);
            between.Attributes["group"] = 40L;
            between.Attributes["pads"] = new long[] { 1, 1, 1, 1 };
            value = graph.AddNode("Relu", [between.Output], ["dr"]).Output;
        }
        if (isOutput)
            graph.AddOutput(value);
        var last = graph.AddNode("Conv", [value, Constant("w2", Noise(5 * 40 * (int)(kernel[0] * kernel[1]), 5), [5, 40, .. kernel])], ["z"]);
        last.Attributes["pads"] = pads;
        graph.AddOutput(last.Output);
        ShapeInference.Run(model);
        return model;

        Value Constant(string name, float[] values, params long[] shape) => graph.AddInitializer(name, Tensor.Of(values, shape));
    }

    private static float[] Noise(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() - 0.5))];
    }

    private static int ChannelsOf(Model model) => (int)model.Graph.Nodes.First(static n => n.Is("Conv")).Inputs[1]!.Constant!.Shape[0];

    private static Model AssertSame(Model model)
    {
        var simple = model.Clone();
        Simplifier.Run(simple, new());
        var inputs = new Dictionary<string, Tensor> { ["x"] = Tensor.Of(Noise(108, 9), 1, 3, 6, 6) };
        var (expected, actual) = (OnnxRuntimeSession.Run(OnnxWriter.ToBytes(model), inputs), OnnxRuntimeSession.Run(OnnxWriter.ToBytes(simple), inputs));
        foreach (var (name, value) in expected)
            Assert.Equal(value.Shape.ToArray(), actual[name].Shape.ToArray());
        Assert.True(expected.Max(e => Zoo.Difference(e.Value, actual[e.Key])) < 1e-6);
        return simple;
    }

    /// <summary>10 count, so that a vector of 16 stays; what the constant ones add is in the bias of the reader.</summary>
    [Fact]
    public void Constant_channels_go_into_the_bias_of_their_reader()
    {
        var simple = AssertSame(Net([1, 1], [0, 0, 0, 0]));
        Assert.Equal(16, ChannelsOf(simple));
        Assert.Contains(simple.Graph.Nodes.Last().Input(2)!.Constant!.ToArray<float>(), static b => b != 0);
    }

    /// <summary>A padded reader sees where a constant channel ends: only those of zeros go, 20 count, so that 32 stay.</summary>
    [Fact]
    public void Constant_channels_stay_where_the_border_shows()
    {
        var simple = AssertSame(Net([3, 3], [1, 1, 1, 1]));
        Assert.Equal(32, ChannelsOf(simple));
        Assert.Null(simple.Graph.Nodes.Last().Input(2));
    }

    /// <summary>Zeros stay constant behind a padded depthwise filter, other constants do not.</summary>
    [Fact]
    public void Depthwise_filters_go_with_their_channels()
    {
        var simple = AssertSame(Net([1, 1], [0, 0, 0, 0], depthwise: true));
        Assert.Equal(32, ChannelsOf(simple));
        Assert.All(simple.Graph.Nodes.Where(static n => n.Is("Conv")).Take(2), static n => Assert.Equal(32, n.Inputs[1]!.Constant!.Shape[0]));
    }

    [Fact]
    public void What_is_an_output_keeps_its_channels() => Assert.Equal(40, ChannelsOf(AssertSame(Net([1, 1], [0, 0, 0, 0], isOutput: true))));

    /// <summary>Channels that the reader multiplies by 0, or by what is nothing beside its other weights.</summary>
    [Theory]
    [InlineData(0f, 16)]
    [InlineData(1e-30f, 16)]
    [InlineData(1e-6f, 40)]
    public void What_no_reader_looks_at_goes(float weight, int left)
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        var graph = model.Graph;
        var x = graph.AddInput("x", TensorType.Of(ElementType.Float, 1, 3, 6, 6));
        var first = graph.AddNode("Conv", [x, graph.AddInitializer("w", Tensor.Of(Noise(40 * 3, 1), 40, 3, 1, 1))], ["y"]);
        var weights = Noise(5 * 40, 2);
        for (var i = 0; i < weights.Length; i++)
            if (i % 40 >= 12)
                weights[i] = weight;
        graph.AddOutput(graph.AddNode("Conv", [graph.AddNode("Sigmoid", [first.Output], ["s"]).Output,
            graph.AddInitializer("v", Tensor.Of(weights, 5, 40, 1, 1))], ["z"]).Output);
        ShapeInference.Run(model);
        Assert.Equal(left, ChannelsOf(AssertSame(model)));
    }

    /// <summary>What looks at all channels at once would see that some are gone.</summary>
    [Theory]
    [InlineData("ReduceMean", "axes")]
    [InlineData("ReduceMax", "axes")]
    [InlineData("ReduceL2", "axes")]
    [InlineData("Softmax", "axis")]
    [InlineData("ArgMax", "axis")]
    public void What_looks_across_channels_keeps_them(string op, string attribute)
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        var graph = model.Graph;
        var x = graph.AddInput("x", TensorType.Of(ElementType.Float, 1, 3, 6, 6));
        var first = graph.AddNode("Conv", [x, graph.AddInitializer("w", Tensor.Of(Noise(40 * 3, 1), 40, 3, 1, 1))], ["y"]);
        var weights = new float[5 * 40];
        Noise(5 * 10, 2).CopyTo(weights, 0);
        graph.AddOutput(graph.AddNode("Conv", [first.Output, graph.AddInitializer("v", Tensor.Of(weights, 5, 40, 1, 1))], ["z"]).Output);
        var across = graph.AddNode(op, [first.Output], ["r"]);
        across.Attributes[attribute] = attribute == "axes" ? new long[] { 1 } : 1L;
        graph.AddOutput(across.Output);
        ShapeInference.Run(model);
        Assert.Equal(40, ChannelsOf(AssertSame(model)));
    }

    /// <summary>A product whose constant stands on the left, with a bias; zeros behind a resize that has a value for what lies outside.</summary>
    [Theory]
    [InlineData("Gemm")]
    [InlineData("Resize")]
    public void Readers_of_other_forms_are_left_right(string form)
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        var graph = model.Graph;
        var x = graph.AddInput("x", TensorType.Of(ElementType.Float, 1, 3, 6, 6));
        var (weights, bias) = (Noise(40 * 3, 1), Noise(40, 2));
        weights.AsSpan(10 * 3).Clear();
        Array.Fill(bias, form == "Gemm" ? 0.5f : 0, 10, 30);
        var first = graph.AddNode("Conv", [x, Constant("w", weights, 40, 3, 1, 1), Constant("b", bias, 40)], ["y"]).Output;
        if (form == "Gemm")
        {
            // [40, 36] channels by places, multiplied from the left: five sums over channels.
            var rows = graph.AddNode("Reshape", [first, graph.AddInitializer("s", Tensor.Vector(new long[] { 40, 36 }))], ["rows"]).Output;
            graph.AddOutput(graph.AddNode("Gemm", [Constant("v", Noise(5 * 40, 3), 5, 40), rows, Constant("c", Noise(36, 4), 36)], ["z"]).Output);
        }
        else
        {
            var resized = graph.AddNode("Resize", [first, Constant("roi", [0, 0, -0.5f, -0.5f, 1, 1, 1.5f, 1.5f], 8), null, graph.AddInitializer("s", Tensor.Vector(new long[] { 1, 40, 9, 9 }))], ["re"]);
            resized.Attributes["coordinate_transformation_mode"] = "tf_crop_and_resize";
            resized.Attributes["mode"] = "linear";
            resized.Attributes["extrapolation_value"] = 2f;
            graph.AddOutput(graph.AddNode("Conv", [resized.Output, Constant("v", Noise(5 * 40, 3), 5, 40, 1, 1)], ["z"]).Output);
        }
        ShapeInference.Run(model);
        AssertSame(model);

        Value Constant(string name, float[] values, params long[] shape) => graph.AddInitializer(name, Tensor.Of(values, shape));
    }

    /// <summary>979 of its 2736 filters are nothing; with 16 channels a vector the rest has 0.59 of the multiply-adds.</summary>
    [SkippableFact]
    public void Half_of_a_real_model_goes_without_loss()
    {
        Skip.IfNot(Shared.ZooModels.Contains("vww_96"), "the models of docs/zoo.md are not here");
        var original = OnnxReader.Read(Zoo.PathOf("vww_96"));
        ShapeInference.Run(original);
        var simple = original.Clone();
        Simplifier.Run(simple, new());
        Assert.True(Work(simple) <= 0.6 * Work(original), $"{Work(simple) / Work(original)}");
        Assert.All(simple.Graph.Nodes.Where(static n => n.Is("Conv")), static n => Assert.True(n.Inputs[1]!.Constant!.Shape[0] is 8 || n.Inputs[1]!.Constant!.Shape[0] % 16 == 0));
        var inputs = Zoo.Inputs("vww_96", original);
        var (expected, actual) = (OnnxRuntimeSession.Run(OnnxWriter.ToBytes(original), inputs), OnnxRuntimeSession.Run(OnnxWriter.ToBytes(simple), inputs));
        foreach (var (name, value) in expected)
            // 100 dB.
            Assert.True(Noise(value, actual[name]) <= 1e-10, $"{name}: {Noise(value, actual[name])}");
    }

    private static double Noise(Tensor expected, Tensor actual)
    {
        var (e, a) = (Numbers.Doubles(expected), Numbers.Doubles(actual));
        return e.Zip(a).Sum(static p => (p.First - p.Second) * (p.First - p.Second)) / e.Sum(static v => v * v);
    }

    private static double Work(Model model) => model.Nodes.Sum(n => OperatorRegistry.Find(n.Domain, n.OpType)?.Work(new(n, static v =>
        (v.Type ?? v.Constant?.Type) is { HasRank: true } type ? [.. type.Shape.Select(static d => d.IsConstant ? (double)d.Value : 1)] : null)).MultiplyAdds ?? 0);
}
