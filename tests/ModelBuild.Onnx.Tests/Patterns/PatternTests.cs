namespace ModelBuild.Onnx.Tests;

/// <summary>Patterns in small models: found where they are, not found where something differs, and rewritten with the same results.</summary>
public sealed class PatternTests
{
    [Theory]
    [MemberData(nameof(PatternCase.Names), MemberType = typeof(PatternCase))]
    public void A_pattern_is_found_where_it_is_and_only_there(string name)
    {
        var test = PatternCase.All[name];
        var model = test.Model().Model;
        var matches = PatternMatcher.Find(model, ShapeInference.Run(model), test.Pattern);
        if (test.Form is null)
        {
            Assert.Empty(matches);
            return;
        }
        var match = Assert.Single(matches);
        Assert.Equal(test.Form, match.Form);
        Assert.Subset(match.Captures.ToHashSet(), test.Captures.ToHashSet());
        foreach (var (key, number) in test.Numbers)
            Assert.Equal(number, match.Number(key) ?? double.NaN, 1e-6);
        Assert.Equal(match.Nodes.Length, match.Nodes.Distinct().Count());
        Assert.Same(match.Output.Producer, match.Nodes[^1]);
    }

    /// <summary>The references are ONNX Runtime on the model as built, and the interpreter.</summary>
    [Theory]
    [MemberData(nameof(PatternCase.Names), MemberType = typeof(PatternCase))]
    public void Rewritten_models_give_the_same_answers(string name)
    {
        var test = PatternCase.All[name];
        var builder = test.Model();
        var (model, inputs) = (builder.Model, builder.Inputs);
        var expected = OnnxRuntimeSession.Run(OnnxWriter.ToBytes(model), inputs);
        var nodes = model.Graph.Nodes.ToArray();
        var sources = nodes.SelectMany(n => n.Sources).ToHashSet();

        Simplifier.Run(model, new() { MinOpset = 23 });

        var actual = OnnxRuntimeSession.Run(OnnxWriter.ToBytes(model), inputs);
        var interpreted = new Interpreter(model).Run(inputs, [.. expected.Keys]);
        foreach (var (output, value) in expected)
        {
            Assert.True(Zoo.Difference(value, actual[output]) <= 1e-5, $"{output} differs by {Zoo.Difference(value, actual[output]):E1} in ONNX Runtime");
            Assert.True(Zoo.Difference(value, interpreted[output]) <= 1e-5,
                $"{output} differs by {Zoo.Difference(value, interpreted[output]):E1} in the interpreter");
        }
        Assert.Equal(sources, model.Graph.Nodes.SelectMany(n => n.Sources).ToHashSet());
        var written = test.Pattern.Replacements.FirstOrDefault()?.OpType;
        if (test.IsRewritten)
            Assert.Contains(model.Graph.Nodes, n => n.Is(written!));
        else if (test.Form is null && written is not null)
            Assert.DoesNotContain(model.Graph.Nodes, n => n.Is(written) && !nodes.Contains(n));
    }

    [Fact]
    public void Before_there_was_a_hard_swish_it_is_a_product_with_a_hard_sigmoid()
    {
        var builder = PatternCase.All["hard-swish: paddle: clip, division by 6"].Model();
        var expected = OnnxRuntimeSession.Run(OnnxWriter.ToBytes(builder.Model), builder.Inputs);
        builder.Model.Opset = 13;
        Simplifier.Run(builder.Model);
        Assert.Equal(["HardSigmoid", "Mul"], builder.Model.Graph.Nodes.Select(n => n.OpType));
        Assert.Equal("hard-sigmoid", Assert.Single(PatternMatcher.Find(builder.Model, ShapeInference.Run(builder.Model), PatternCatalog.HardSwish)).Form);
        var actual = OnnxRuntimeSession.Run(OnnxWriter.ToBytes(builder.Model), builder.Inputs);
        Assert.All(expected, e => Assert.True(Zoo.Difference(e.Value, actual[e.Key]) <= 1e-5));
    }

    [Fact]
    public void Nothing_is_rewritten_below_the_operator_set_that_has_the_operator()
    {
        var model = PatternCase.All["gelu: torch: division by the root of 2"].Model().Model;
        Simplifier.Run(model);
        Assert.DoesNotContain(model.Graph.Nodes, n => n.Is("Gelu"));
        Assert.Single(PatternMatcher.Find(model, ShapeInference.Run(model), PatternCatalog.Gelu));
    }

    [Fact]
    public void Nothing_is_rewritten_in_a_graph_that_quantizes()
    {
        var b = new GraphBuilder(20);
        var x = b.Input("x", 3, 8);
        var gelu = b.Mul(b.Mul(x, b.Add(b.Node("Erf", b.Div(x, b.Number(Math.Sqrt(2)))), b.Number(1))), b.Number(0.5));
        var (scale, zero) = (b.Number(0.02), b.Constant(Tensor.Scalar((byte)128)));
        b.Finish(b.Node("DequantizeLinear", b.Node("QuantizeLinear", gelu, scale, zero), scale, zero));
        Simplifier.Run(b.Model);
        Assert.DoesNotContain(b.Model.Graph.Nodes, n => n.Is("Gelu"));
    }

    [Fact]
    public void Patterns_are_found_in_subgraphs_and_end_at_their_border()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", 3, 8);
        var erf = b.Node("Erf", b.Div(x, b.Number(Math.Sqrt(2))));
        var body = new Graph(b.Model, b.Model.Graph);
        // The error function lies outside of the branch, the rest inside; a whole swish lies inside.
        var product = body.AddNode("Mul", [x, body.AddNode("Add", [erf, body.AddInitializer("one", Tensor.Scalar(1f))], ["sum"]).Output], ["product"]);
        var gelu = body.AddNode("Mul", [product.Output, body.AddInitializer("half", Tensor.Scalar(0.5f))], ["gelu"]);
        var swish = body.AddNode("Mul", [gelu.Output, body.AddNode("Sigmoid", [gelu.Output], ["gate"]).Output], ["swish"]);
        body.AddOutput(swish.Output);
        var other = new Graph(b.Model, b.Model.Graph);
        other.AddOutput(other.AddNode("Neg", [x], ["neg"]).Output);
        var condition = b.Model.Graph.AddInput("condition", TensorType.Of(ElementType.Bool));
        b.Finish(b.Node("If", [condition], ("then_branch", body), ("else_branch", other)));

        var matches = PatternMatcher.Find(b.Model, ShapeInference.Run(b.Model));

        var match = Assert.Single(matches);
        Assert.Same(PatternCatalog.Swish, match.Pattern);
        Assert.Same(body, match.Graph);
    }

    [Fact]
    public void Names_of_patterns_are_unique_and_their_forms_are()
    {
        Assert.Equal(PatternCatalog.All.Count, PatternCatalog.All.Select(p => p.Name).Distinct().Count());
        // One name per activation in the forms of fused layers; elsewhere one per form.
        foreach (var pattern in PatternCatalog.All.Where(p => p != PatternCatalog.ConvActivation && p != PatternCatalog.ConvAddActivation))
            Assert.Equal(pattern.Forms.Length, pattern.Forms.Select(f => f.Name).Distinct().Count());
    }

    [Fact]
    public void A_graph_made_to_fit_nearly_ends_the_search()
    {
        // Sums of sums and products of products: every order of inputs nearly fits.
        var b = new GraphBuilder();
        var x = b.Input("x", 2, 3, 4);
        for (var i = 0; i < 2000; i++)
            x = (i % 5) switch { 0 => b.Node("Tanh", x), 1 => b.Node("Sigmoid", x), 2 => b.Add(x, x), _ => b.Mul(x, x) };
        b.Finish(b.Div(x, b.Node("Sqrt", b.Add(b.Mean(b.Mul(x, x)), b.Number(1)))));
        var matches = PatternMatcher.Find(b.Model, ShapeInference.Run(b.Model));
        Assert.Equal(["rms-norm without-scale"], matches.Select(m => $"{m.Pattern} {m.Form}"));
    }

    [Fact]
    public void Values_without_axes_and_constants_that_are_no_numbers_match_nothing()
    {
        var b = new GraphBuilder();
        var x = b.Input("x");
        var (cos, sin) = (b.Input("cos"), b.Input("sin"));
        var text = b.Constant(new Tensor([], ["0.5"]));
        var gelu = b.Mul(b.Mul(x, b.Add(b.Node("Erf", b.Mul(x, text)), text)), text);
        var halves = b.Nodes("Split", [x], 2);
        // Nothing of this passes inference; matching must not rely on that.
        b.Model.Graph.AddOutput(b.Node("Concat", [b.Sub(b.Mul(halves[0], cos), b.Mul(halves[1], sin)), b.Add(b.Mul(halves[1], cos), b.Mul(halves[0], sin))],
            ("axis", -1L)));
        b.Model.Graph.AddOutput(gelu);
        foreach (var value in b.Model.Graph.Values)
            value.Type ??= TensorType.Of(ElementType.Float);
        var nothing = new InferenceResult(new Dictionary<Value, TensorType>(), new Dictionary<Value, Tensor>(), new Dictionary<Value, SymbolicTensor>(),
            new HashSet<Graph>());
        Assert.Empty(PatternMatcher.Find(b.Model, nothing));
    }
}
