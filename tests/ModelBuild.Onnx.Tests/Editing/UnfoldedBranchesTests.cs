namespace ModelBuild.Onnx.Tests.Editing;

/// <summary>Nodes of branches, given places of their own in the main graph, compute what they did.</summary>
public sealed class UnfoldedBranchesTests
{
    private static Value Add(Graph graph, string op, string name, params Value[] inputs)
    {
        var value = graph.AddNode(op, inputs, [name]).Output;
        value.Type = TensorType.Of(op is "Greater" ? ElementType.Bool : ElementType.Float);
        return value;
    }

    /// <summary>x [3], c → y: if c, x·2 + 1 by way of values of known and unknown type, and of a further branch on x; else -x.</summary>
    private static Model Net()
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        var graph = model.Graph;
        var (x, c) = (graph.AddInput("x", TensorType.Of(ElementType.Float, 3)), graph.AddInput("c", TensorType.Of(ElementType.Bool)));
        var outer = graph.AddNode("If", [c], ["y"]);
        outer.Output.Type = TensorType.Of(ElementType.Float, 3);
        graph.AddOutput(outer.Output);

        var then = new Graph(model, graph) { Name = "then" };
        outer.Attributes["then_branch"] = then;
        var half = then.AddInitializer("half", Tensor.Scalar(0.5f));
        // From constants alone: 1.
        var one = Add(then, "Add", "one", half, half);
        var twice = Add(then, "Add", "twice", x, x);
        var hidden = Add(then, "Neg", "hidden", twice);
        hidden.Type = null;
        var shown = Add(then, "Neg", "shown", hidden);
        var sum = then.AddNode("ReduceSum", [x], ["sum"]);
        sum.Attributes["keepdims"] = 0L;
        sum.Output.Type = TensorType.Of(ElementType.Float);
        var inner = then.AddNode("If", [Add(then, "Greater", "positive", sum.Output, half)], ["inner"]);
        inner.Output.Type = TensorType.Of(ElementType.Float, 3);
        foreach (var (branch, op) in new[] { ("then_branch", "Add"), ("else_branch", "Sub") })
        {
            var body = new Graph(model, then) { Name = branch };
            inner.Attributes[branch] = body;
            body.AddOutput(Add(body, "Identity", "given", Add(body, op, "changed", shown, one)));
        }
        then.AddOutput(inner.Output);

        var otherwise = new Graph(model, graph) { Name = "else" };
        outer.Attributes["else_branch"] = otherwise;
        otherwise.AddOutput(Add(otherwise, "Neg", "negative", x));
        return model;
    }

    private static IReadOnlyDictionary<string, Tensor> Run(Model model, float[] x, bool c) =>
        new Interpreter(model).Run(new Dictionary<string, Tensor> { ["x"] = Tensor.Of(x, 3), ["c"] = Tensor.Scalar(c) });

    [Theory]
    [InlineData(true, 1f, new[] { 3f, 5, 7 }, true)]
    [InlineData(true, -9f, new[] { -19f, 3, 5 }, false)]
    [InlineData(false, 1f, new[] { -1f, -2, -3 }, null)]
    public void Values_of_taken_branches_are_seen_and_those_of_others_are_empty(bool c, float first, float[] y, bool? positive)
    {
        float[] x = [first, 2, 3];
        var model = Net();
        var before = OnnxWriter.ToBytes(model);
        string[] paths = ["y/then_branch/shown", "y/then_branch/inner/then_branch/changed", "y/then_branch/inner/else_branch/changed"];
        var unfolded = new UnfoldedBranches(model, paths);
        Assert.Equal(before, OnnxWriter.ToBytes(model));
        Assert.Equal(y, Run(model, x, c)["y"].ToArray<float>());
        foreach (var value in paths.SelectMany(p => (Value[])[unfolded.Find(p)!, unfolded.Taken(p)!]).Distinct())
            unfolded.Model.Graph.AddOutput(value);
        var given = Run(unfolded.Model, x, c);
        Assert.Equal(y, given["y"].ToArray<float>());
        Assert.Equal(c ? [2 * first, 4, 6] : Array.Empty<float>(), given[unfolded.Find(paths[0])!.Name].ToArray<float>());
        Assert.Equal(positive == true ? y : [], given[unfolded.Find(paths[1])!.Name].ToArray<float>());
        Assert.Equal(positive == false ? [.. x.Select(v => 2 * v - 1)] : [], given[unfolded.Find(paths[2])!.Name].ToArray<float>());
        Assert.Equal([c], given[unfolded.Taken(paths[0])!.Name].ToArray<bool>());
        Assert.Equal(positive is { } p ? [p] : [], given[unfolded.Taken(paths[1])!.Name].ToArray<bool>());
        Assert.Equal(positive is { } q ? [!q] : [], given[unfolded.Taken(paths[2])!.Name].ToArray<bool>());
        // What follows from constants alone is computed whether or not the branch is taken.
        Assert.Null(unfolded.Find("y/then_branch/one")!.Graph.Parent);
        Assert.False(unfolded.Find("y/then_branch/one")!.Producer!.Is("If"));
        Assert.Null(unfolded.Taken("y"));
        Assert.Null(unfolded.Find("nowhere"));
    }

    [Fact]
    public void Values_of_turns_have_no_single_place()
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        var graph = model.Graph;
        var step = new Graph(model, graph) { Name = "step" };
        step.AddInput("turn", TensorType.Of(ElementType.Int64));
        var on = step.AddInput("on", TensorType.Of(ElementType.Bool));
        var state = step.AddInput("state", TensorType.Of(ElementType.Float, 3));
        step.AddOutput(Add(step, "Identity", "still", on));
        step.AddOutput(Add(step, "Neg", "next", state));
        var loop = graph.AddNode("Loop", [graph.AddInitializer("turns", Tensor.Scalar(2L)), graph.AddInitializer("go", Tensor.Scalar(true)),
            graph.AddInput("x", TensorType.Of(ElementType.Float, 3))], ["y"]);
        loop.Attributes["body"] = step;
        graph.AddOutput(loop.Output);
        Assert.False(UnfoldedBranches.IsReached(step));
        Assert.True(UnfoldedBranches.IsReached(graph));
        Assert.Throws<ArgumentException>(() => new UnfoldedBranches(model, ["y/body/next"]));
        Assert.Same(loop.OpType, new UnfoldedBranches(model, ["y"]).Find("y")!.Producer!.OpType);
    }
}
