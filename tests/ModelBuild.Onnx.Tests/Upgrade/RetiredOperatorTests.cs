namespace ModelBuild.Onnx.Tests;

/// <summary>Operators that later operator sets withdrew or gave another meaning answer after an upgrade as the original does in ONNX Runtime.</summary>
public sealed class RetiredOperatorTests
{
    public static TheoryData<string, long> Cases => new()
    {
        { "ImageScaler scale=0.5 bias=0.1,0.2,-0.3", 8 }, { "ImageScaler scale=0.5 bias=0.1,0.2,-0.3", 9 },
        { "Affine", 8 }, { "Affine alpha=0.5 beta=-2.0", 9 },
        { "Scale scale=0.25", 8 }, { "Scale", 9 },
        { "ScaledTanh alpha=1.5 beta=0.5", 9 }, { "ParametricSoftplus alpha=1.5 beta=0.5", 9 },
        { "ThresholdedRelu alpha=0.5", 9 }, { "ThresholdedRelu", 8 },
        { "Crop border=1,2,0,1", 9 }, { "Crop border=0,0,0,0", 8 }, { "Crop border=1,2,0,0 scale=2,3", 9 },
        { "MeanVarianceNormalization", 8 }, { "MeanVarianceNormalization across_channels=1", 8 },
            { "MeanVarianceNormalization across_channels=0 normalize_variance=1", 7 },
        { "MeanVarianceNormalization normalize_variance=0", 8 }, { "MeanVarianceNormalization across_channels=1 normalize_variance=0", 8 },
            { "MeanVarianceNormalization", 9 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void An_upgrade_keeps_the_answers(string node, long opset)
    {
        var g = new GraphBuilder(opset);
        var parts = node.Split(' ');
        var x = g.Input("x", 2, 3, 5, 6);
        var made = g.Node(parts[0], [x], [.. parts[1..].Select(Attribute)]);
        var y = g.Node("Relu", made);

        Compare(g, y);

        static (string, AttributeValue) Attribute(string text)
        {
            var (name, value) = (text.Split('=')[0], text.Split('=')[1]);
            return (name, name switch
            {
                "border" => value.Split(',').Select(Integer).ToArray(),
                "bias" => value.Split(',').Select(Number).ToArray(),
                "across_channels" or "normalize_variance" => Integer(value),
                _ when value.Contains(',', StringComparison.Ordinal) => value.Split(',').Select(Integer).ToArray(),
                _ => Number(value),
            });
        }

        static long Integer(string text) => long.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
        static float Number(string text) => float.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public void A_dynamic_slice_is_a_slice()
    {
        var g = new GraphBuilder(9);
        Compare(g, g.Node("Relu", g.Node("DynamicSlice", g.Input("x", 4, 5), g.Integers(1, 2), g.Integers(3, 5), g.Integers(0, 1))));
    }

    [Theory]
    [InlineData(7)]
    [InlineData(9)]
    [InlineData(10)]
    [InlineData(11)]
    [InlineData(12)]
    public void The_mask_of_a_dropout_keeps_what_it_says(long opset)
    {
        var g = new GraphBuilder(opset);
        var outputs = g.Nodes("Dropout", [g.Input("x", 2, 3)], 2);
        var mask = g.Node("Cast", [outputs[1]], ("to", 1L));
        Compare(g, g.Add(outputs[0], mask), outputs[0], outputs[1]);
        // The interpreter folds with the same meaning.
        var folded = new Interpreter(g.Model).Run(g.Inputs, [outputs[1].Name])[outputs[1].Name];
        Assert.All(Numbers.Doubles(folded), v => Assert.Equal(opset < 12 ? 0 : 1, v));
    }

    [Fact]
    public void One_flattening_operator_may_read_another()
    {
        var g = new GraphBuilder(11);
        Compare(g, g.Node("LogSoftmax", [g.Node("Softmax", [g.Input("x", 2, 3, 4)], ("axis", 1L))], ("axis", 1L)));
    }

    [Theory]
    [InlineData("GRUUnit")]
    [InlineData("ATen")]
    [InlineData("ScaledTanh")]
    public void What_has_no_equivalent_is_named(string op)
    {
        var g = new GraphBuilder(9);
        g.Model.Graph.AddOutput(g.Node(op, g.Input("x", 2, 3)));
        var error = Assert.Throws<OnnxException>(() => OpsetConverter.Upgrade(g.Model, 13));
        Assert.Equal(OnnxErrors.Upgrade, error.Code);
        Assert.Contains(op, error.Message, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("retired-operators/ImageScaler")]
    [InlineData("retired-operators/MeanVarianceNormalization")]
    [InlineData("dropout-mask-upgrade/dropout10")]
    public void Models_of_users_keep_their_answers(string name)
    {
        var bytes = File.ReadAllBytes(Shared.Path($"field/{name}.onnx"));
        var model = OnnxReader.Read(bytes);
        var inputs = RandomInputs.Of(model, 5, static (_, _) => 2);
        var expected = OnnxRuntimeSession.Run(bytes, inputs);
        OpsetConverter.Upgrade(model, 13);
        Simplifier.Run(model);
        var actual = OnnxRuntimeSession.Run(OnnxWriter.ToBytes(model), inputs);
        Assert.All(expected, e => Assert.InRange(Zoo.Difference(e.Value, actual[e.Key]), 0, 1e-5));
    }

    private static void Compare(GraphBuilder g, params Value[] outputs)
    {
        foreach (var output in outputs)
        {
            g.Model.Graph.AddOutput(output);
            output.Type ??= new(g.Model.Opset >= 10 && output.ProducerIndex == 1 ? ElementType.Bool : ElementType.Float, default);
        }
        var original = OnnxWriter.ToBytes(g.Model);
        var expected = OnnxRuntimeSession.Run(original, g.Inputs);
        foreach (var target in new long[] { 13, 18 })
        {
            var model = OnnxReader.Read(original);
            OpsetConverter.Upgrade(model, target);
            var actual = OnnxRuntimeSession.Run(OnnxWriter.ToBytes(model), g.Inputs);
            Assert.All(expected, e => Assert.InRange(Zoo.Difference(e.Value, actual[e.Key]), 0, 1e-6));
            Simplifier.Run(model);
            actual = OnnxRuntimeSession.Run(OnnxWriter.ToBytes(model), g.Inputs);
            Assert.All(expected, e => Assert.InRange(Zoo.Difference(e.Value, actual[e.Key]), 0, 1e-6));
        }
    }
}
