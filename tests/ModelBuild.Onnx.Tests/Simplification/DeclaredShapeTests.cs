namespace ModelBuild.Onnx.Tests;

/// <summary>What a model declares of shapes, and ONNX Runtime does not hold it to, changes no answer: simplified models answer as the originals for all shapes
/// that these run.</summary>
public sealed class DeclaredShapeTests
{
    private readonly GraphBuilder _g = new();

    [Fact]
    public void A_stale_output_shape_is_no_fact()
    {
        // The factors of the enlargement come from the input: inference cannot know the size.
        var x = Floats("x", "h", "w");
        var resized = _g.Node("Resize", _g.Node("Unsqueeze", x, _g.Integers(0, 1)), null,
            _g.Node("Cast", [_g.Model.Graph.AddInput("scales", TensorType.Of(ElementType.Double, 4))], ("to", 1L)));
        var y = _g.Node("Reshape", _g.Node("Relu", resized), _g.Node("Concat", [_g.Node("Shape", [resized], ("start", 1L)), _g.Integers(1)], ("axis", 0L)));
        Declare(y, 1, 8, 8, 1);
        Declare(resized, 1, 1, 8, 8);

        Answers([y], [("x", Of(4, 4)), ("scales", Scales())], [("x", Of(6, 3)), ("scales", Scales())]);

        static Tensor Scales() => Tensor.Vector(1.0, 1.0, 2.0, 2.0);
    }

    [Fact]
    public void A_declaration_does_not_decide_what_an_input_says()
    {
        var axis = _g.Model.Graph.AddInput("axis", TensorType.Of(ElementType.Int64, 1));
        var y = _g.Node("Unsqueeze", _g.Node("Unsqueeze", _g.Input("x", 3, 4), _g.Integers(0)), axis);
        Declare(y, 1, 1, 3, 4);

        var read = Answers([y], [("x", Of(3, 4)), ("axis", Tensor.Vector(0L))], [("x", Of(3, 4)), ("axis", Tensor.Vector(2L))]);
        Assert.NotEmpty(read.Graph.Inputs[1].Uses);
    }

    [Theory]
    [InlineData(5, 5)]
    [InlineData(3, 7)]
    public void One_name_may_stand_for_two_lengths(long first, long second)
    {
        var (a, b) = (Floats("a", "N"), Floats("b", "N"));
        var y = _g.Node("Concat", [_g.Node("ConstantOfShape", _g.Node("Shape", a)), _g.Node("Expand", _g.Number(2), _g.Node("Shape", b))], ("axis", 0L));

        Answers([y], [("a", Of(first)), ("b", Of(second))]);
    }

    [Fact]
    public void One_name_may_stand_for_two_dimensions_of_an_input()
    {
        var x = Floats("x", "N", "N");
        // The shape of the transposed input.
        var y = _g.Node("Reshape", x, _g.Node("Concat", [_g.Node("Shape", [x], ("start", 1L)), _g.Node("Shape", [x], ("end", 1L))], ("axis", 0L)));

        Answers([y], [("x", Of(4, 4))], [("x", Of(2, 6))]);
    }

    [Fact]
    public void Dimensions_of_one_name_may_be_broadcast()
    {
        var (a, b) = (Floats("a", "N", "M"), Floats("b", "N", "M"));
        var sum = _g.Add(_g.Node("Relu", a), b);
        var y = _g.Node("ConstantOfShape", _g.Node("Shape", sum));

        Answers([_g.Node("ConstantOfShape", _g.Node("Shape", a)), y], [("a", Of(3, 4)), ("b", Of(3, 4))], [("a", Of(1, 4)), ("b", Of(5, 4))],
            [("a", Of(5, 4)), ("b", Of(1, 1))]);
    }

    [Fact]
    public void A_reshape_that_undoes_no_broadcasting_needs_no_computed_shape()
    {
        var (a, b) = (Floats("a", "N", "M", 6L), Floats("b", "N", "M", 6L));
        var heads = _g.Node("Reshape", _g.Add(a, b), _g.Node("Concat", [_g.Node("Shape", [a], ("end", 2L)), _g.Integers(2, 3)], ("axis", 0L)));
        var y = _g.Node("Relu", heads);

        // Were one broadcast to the other, the original would have too many elements for the shape of the first.
        var read = Answers([y], [("a", Of(3, 4, 6)), ("b", Of(3, 4, 6))], [("a", Of(3, 4, 6)), ("b", Of(1, 1, 6))]);
        Assert.Equal(["Add", "Reshape", "Relu"], read.Graph.Nodes.Select(n => n.OpType));
    }

    [Fact]
    public void What_the_body_of_a_loop_declares_is_no_fact()
    {
        var trips = _g.Model.Graph.AddInput("trips", TensorType.Of(ElementType.Int64));
        var x = _g.Input("x", 3);
        var body = new Graph(_g.Model, _g.Model.Graph) { Name = "body" };
        body.AddInput("i", TensorType.Of(ElementType.Int64));
        var go = body.AddInput("go", TensorType.Of(ElementType.Bool));
        // It is declared with the length of the first iteration, and doubles in each.
        var carried = body.AddInput("carried", TensorType.Of(ElementType.Float, 3));
        var again = body.AddNode("Identity", [go], ["again"]);
        var relu = body.AddNode("Relu", [carried], ["relu"]);
        var zeros = body.AddNode("ConstantOfShape", [body.AddNode("Shape", [relu.Output], ["shape"]).Output], ["zeros"]);
        var twice = body.AddNode("Concat", [carried, zeros.Output], ["twice"]);
        twice.Attributes["axis"] = 0;
        again.Output.Type = TensorType.Of(ElementType.Bool);
        Declare(relu.Output, 3);
        Declare(twice.Output, 6);
        body.AddOutput(again.Output);
        body.AddOutput(twice.Output);
        var y = _g.Node("Loop", [trips, null, x], ("body", body));

        Answers([_g.Node("Relu", y)], [("trips", Tensor.Scalar(1L)), ("x", Of(3))], [("trips", Tensor.Scalar(3L)), ("x", Of(3))]);
    }

    [Fact]
    public void What_is_declared_of_an_unknown_operator_is_no_fact()
    {
        var x = Floats("x", "N", 4L);
        var unknown = _g.Node("com.microsoft:BiasGelu", x, _g.Weights(4));
        Assert.Null(OperatorRegistry.Find(unknown.Producer!, 1));
        Declare(unknown, 2, 4);
        var y = _g.Node("Reshape", unknown, _g.Node("Concat", [_g.Node("Shape", [unknown], ("start", 1L)), _g.Node("Shape", [unknown], ("end", 1L))],
            ("axis", 0L)));

        Answers([y], [("x", Of(2, 4))], [("x", Of(6, 4))]);
    }

    [Fact]
    public void What_is_declared_of_an_optional_is_no_fact()
    {
        var g = new GraphBuilder(18);
        var x = g.Model.Graph.AddInput("x", new(ElementType.Float, [Dimension.Named("N")]));
        var held = g.Node("Optional", [x], ("type", new AttributeValue(AttributeKind.TypeProto, TypeConversion.ToProto(TensorType.Of(ElementType.Float, 3)))));
        var y = g.Node("ConstantOfShape", g.Node("Shape", g.Node("OptionalGetElement", held)));
        y.Type = new(ElementType.Float, default);
        g.Model.Graph.AddOutput(y);

        Compare(OnnxWriter.ToBytes(g.Model), [[("x", Of(5))]]);
    }

    [Fact]
    public void An_upgrade_does_not_believe_a_declared_rank()
    {
        var g = new GraphBuilder(12);
        var x = g.Model.Graph.AddInput("x", new(ElementType.Float, default));
        var relu = g.Node("Relu", x);
        Declare(relu, 2, 3);
        // The last axis, if there were two: with three, all but the first are one.
        var y = g.Node("Softmax", [relu], ("axis", 1L));
        g.Model.Graph.AddOutput(y);
        y.Type = new(ElementType.Float, default);

        Assert.Equal(OnnxErrors.Upgrade, Assert.Throws<OnnxException>(() => OpsetConverter.Upgrade(OnnxReader.Read(OnnxWriter.ToBytes(g.Model)), 13)).Code);
    }

    [SkippableTheory]
    [InlineData("resize", "x=4,4", "x=6,3", "x=1,9")]
    [InlineData("unsqueeze", "x=3,4;axis:0", "x=3,4;axis:1", "x=3,4;axis:2")]
    public void Models_of_users_keep_their_answers(string name, params string[] samples)
    {
        var path = Shared.Path($"field/declared-shapes/{name}.onnx");
        var inputs = samples.Select(s => s.Split(';').Select(i => i.Contains(':', StringComparison.Ordinal)
            ? (i.Split(':')[0], Tensor.Vector(long.Parse(i.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture)))
            : (i.Split('=')[0], Of([.. i.Split('=')[1].Split(',').Select(long.Parse)]))).ToArray()).ToArray();
        Compare(File.ReadAllBytes(path), inputs);
    }

    private Value Floats(string name, params object[] shape) =>
        _g.Model.Graph.AddInput(name, new(ElementType.Float, [.. shape.Select(d => d is string s ? Dimension.Named(s) : Dimension.Of((long)d))]));

    /// <summary>Declares a value, in the file too.</summary>
    private static void Declare(Value value, params long[] shape)
    {
        value.Type = TensorType.Of(ElementType.Float, shape);
        value.CarriedType = new();
    }

    private static Tensor Of(params long[] shape) => Tensor.Of(Enumerable.Range(0, (int)Tensor.Count(shape)).Select(i => i - 2.5f).ToArray(), shape);

    /// <summary>Compares the model with itself simplified, and returns the latter.</summary>
    private Model Answers(Value[] outputs, params (string, Tensor)[][] samples)
    {
        _g.Model.Opsets["com.microsoft"] = 1;
        foreach (var output in outputs)
        {
            output.Type ??= new(ElementType.Float, default);
            _g.Model.Graph.AddOutput(output);
        }
        return Compare(OnnxWriter.ToBytes(_g.Model), samples);
    }

    private static Model Compare(byte[] original, (string Name, Tensor Value)[][] samples)
    {
        var model = OnnxReader.Read(original);
        Simplifier.Run(model);
        var simplified = OnnxWriter.ToBytes(model);
        foreach (var sample in samples)
        {
            var inputs = sample.ToDictionary(i => i.Name, i => i.Value);
            IReadOnlyDictionary<string, Tensor> expected;
            try
            {
                expected = OnnxRuntimeSession.Run(original, inputs);
            }
            catch (Microsoft.ML.OnnxRuntime.OnnxRuntimeException) when (!ReferenceEquals(sample, samples[0]))
            {
                // Not every sample runs; the first one does.
                continue;
            }
            var actual = OnnxRuntimeSession.Run(simplified, inputs);
            foreach (var (name, value) in expected)
            {
                Assert.Equal(value.Shape.ToArray(), actual[name].Shape.ToArray());
                Assert.Equal(value.ToArray<float>(), actual[name].ToArray<float>());
            }
        }
        return model;
    }
}
