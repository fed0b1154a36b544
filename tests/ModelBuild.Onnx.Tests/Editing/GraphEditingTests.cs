namespace ModelBuild.Onnx.Tests;

/// <summary>Edits of a graph keep uses, names and outputs right, in subgraphs that read values of the graphs around them too.</summary>
public sealed class GraphEditingTests
{
    private readonly Model _model = new() { Opset = 17 };

    private Graph G => _model.Graph;

    [Fact]
    public void Replacing_a_value_reaches_every_reader_in_subgraphs_too()
    {
        var (x, a, b) = Values();
        var branch = Subgraph(G);
        var inner = branch.AddNode("Neg", [a], ["inner"]);
        branch.AddOutput(a);
        branch.AddOutput(inner.Output);
        var choice = If(x, branch);
        var sum = G.AddNode("Add", [a, a], ["sum"]);

        G.Replace(a, b);

        Assert.Equal([b, b], sum.Inputs);
        Assert.Equal([b], inner.Inputs);
        Assert.Equal([b, inner.Output], branch.Outputs);
        Assert.True(a.IsUnused);
        Assert.Equal(3, b.Uses.Count);
        Assert.Null(b.OnlyUser);
        Assert.Equal([x, b, b], Graph.Dependencies(choice));
    }

    [Fact]
    public void The_name_of_an_output_goes_over_to_what_replaces_it()
    {
        var (_, a, b) = Values();
        a.Type = TensorType.Of(ElementType.Float, 4);
        G.AddOutput(a);
        G.AddOutput(a);

        G.Replace(a, b);

        Assert.Equal([b, b], G.Outputs);
        Assert.Equal("a", b.Name);
        Assert.Same(b, G.Find("a"));
        Assert.Equal(TensorType.Of(ElementType.Float, 4), b.Type);
        Assert.Equal("a_replaced", a.Name);
        Assert.False(a.IsGraphOutput);
    }

    [Theory]
    [InlineData("input")]
    [InlineData("initializer")]
    [InlineData("output")]
    public void What_keeps_a_name_of_its_own_is_handed_out_by_an_identity(string kind)
    {
        var (x, a, b) = Values();
        G.AddOutput(a);
        if (kind == "output")
            G.AddOutput(b);
        var replacement = kind == "input" ? x : kind == "initializer" ? G.AddInitializer("constant", Tensor.Scalar(1f)) : b;

        G.Replace(a, replacement);

        Assert.Equal("a", G.Outputs[0].Name);
        Assert.True(G.Outputs[0].Producer!.Is("Identity"));
        Assert.Equal([replacement], G.Outputs[0].Producer!.Inputs);
    }

    [Fact]
    public void A_name_is_taken_once()
    {
        var (x, a, b) = Values();
        Assert.Throws<ArgumentException>(() => G.Rename(a, "b"));
        Assert.Throws<ArgumentException>(() => G.AddValue("x"));
        G.Rename(a, "c");
        Assert.Null(G.Find("a"));
        Assert.Same(a, G.Find("c"));
        var inner = Subgraph(G);
        Assert.Same(x, inner.Find("x"));
        Assert.Equal("x_1", inner.UniqueName("x"));
        inner.AddValue("x_1");
        Assert.Equal("x_2", inner.UniqueName("x"));
        // A graph does not see what its subgraphs name.
        Assert.Equal("x_1", G.UniqueName("x"));
        Assert.Same(b, G.Find("b"));
    }

    [Fact]
    public void What_is_used_cannot_be_removed()
    {
        var (x, a, _) = Values();
        var branch = Subgraph(G);
        branch.AddOutput(a);
        var choice = If(x, branch);
        Assert.Throws<InvalidOperationException>(() => G.Remove(a.Producer!));
        Assert.Throws<InvalidOperationException>(() => G.Remove(x));

        G.Remove(choice);
        Assert.True(choice.IsRemoved);
        Assert.True(a.IsUnused);
        G.Remove(a.Producer!);
        Assert.Null(G.Find("a"));
        Assert.DoesNotContain(G.Nodes, n => n.Output.Name == "a");
        Assert.Equal(1, x.Uses.Count(u => u.Node.Output.Name == "b"));
    }

    [Fact]
    public void A_removed_node_gives_up_what_its_subgraphs_read()
    {
        var (x, a, b) = Values();
        var outer = Subgraph(G);
        var inner = Subgraph(outer);
        inner.AddOutput(inner.AddNode("Neg", [b], ["deep"]).Output);
        outer.AddOutput(If(a, inner, outer).Output);
        var choice = If(x, outer);
        Assert.Equal((1, 1), (a.Uses.Count, b.Uses.Count));

        G.Remove(choice);

        Assert.Equal((0, 0), (a.Uses.Count, b.Uses.Count));
    }

    [Fact]
    public void Sorting_follows_what_subgraphs_read()
    {
        var x = G.AddInput("x", TensorType.Of(ElementType.Float, 4));
        var branch = Subgraph(G);
        var choice = If(x, branch);
        var late = G.AddNode("Relu", [x], ["late"]);
        var free = G.AddNode("Abs", [x], ["free"]);
        branch.AddOutput(branch.AddNode("Neg", [late.Output], ["inner"]).Output);

        G.Sort();

        Assert.Equal([late, choice, free], G.Nodes);
        late.SetInput(0, choice.Output);
        Assert.Contains("cycle", Assert.Throws<InvalidOperationException>(G.Sort).Message, StringComparison.Ordinal);
        Assert.Equal(3, G.Nodes.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_inner_name_never_hides_the_outer_value_that_is_read(bool nested)
    {
        // Both branches have a value named as the outer one that they read; nested, it lies between the reader and what it reads.
        var condition = G.AddInput("condition", TensorType.Of(ElementType.Bool));
        var x = G.AddInput("x", TensorType.Of(ElementType.Float, 2));
        var outer = G.AddNode("Relu", [x], ["value"]).Output;
        var branches = new[] { Subgraph(G), Subgraph(G) };
        foreach (var branch in branches)
        {
            var hiding = branch.AddNode("Neg", [x], ["hidden"]).Output;
            var reader = branch;
            if (nested)
            {
                reader = Subgraph(branch);
                reader.AddOutput(reader.AddNode("Add", [outer, hiding], ["sum"]).Output);
                branch.AddOutput(If(condition, reader, branch, reader).Output);
            }
            else
                branch.AddOutput(branch.AddNode("Add", [outer, hiding], ["sum"]).Output);
            branch.Rename(hiding, "value");
        }
        var choice = If(condition, branches[0], G, branches[1]);
        choice.Output.Type = TensorType.Of(ElementType.Float, 2);
        G.AddOutput(choice.Output);
        var inputs = new Dictionary<string, Tensor> { ["condition"] = Tensor.Scalar(true), ["x"] = Tensor.Vector(3f, -5f) };

        var bytes = OnnxWriter.ToBytes(_model);

        // max(x, 0) - x
        Assert.Equal([0f, 5f], OnnxRuntimeSession.Run(bytes, inputs)[choice.Output.Name].ToArray<float>());
        Assert.Equal([0f, 5f], new Interpreter(OnnxReader.Read(bytes)).Run(inputs)[choice.Output.Name].ToArray<float>());
        // The graph itself keeps its names.
        Assert.All(branches, b => Assert.NotNull(b.Find("value")));
    }

    [Fact]
    public void A_new_outer_value_may_have_the_name_of_an_inner_one_that_comes_to_read_it()
    {
        var condition = G.AddInput("condition", TensorType.Of(ElementType.Bool));
        var x = G.AddInput("x", TensorType.Of(ElementType.Float, 2));
        var branches = new[] { Subgraph(G), Subgraph(G) };
        foreach (var branch in branches)
        {
            var constant = branch.AddInitializer("w", Tensor.Vector(1f, 2f));
            branch.AddOutput(branch.AddNode("Add", [branch.AddNode("Mul", [x, x], ["square"]).Output, constant], ["sum"]).Output);
        }
        var choice = If(condition, branches[0], G, branches[1]);
        choice.Output.Type = TensorType.Of(ElementType.Float, 2);
        G.AddOutput(choice.Output);
        var outer = G.AddInitializer("w", Tensor.Vector(10f, 20f));
        Assert.Equal("w", outer.Name);
        foreach (var branch in branches)
            branch.Nodes[0].SetInput(1, outer);
        var inputs = new Dictionary<string, Tensor> { ["condition"] = Tensor.Scalar(false), ["x"] = Tensor.Vector(3f, -5f) };

        Assert.Equal([31f, -98f], OnnxRuntimeSession.Run(OnnxWriter.ToBytes(_model), inputs)[choice.Output.Name].ToArray<float>());
    }

    /// <summary>x, and a and b that are computed from it.</summary>
    private (Value X, Value A, Value B) Values()
    {
        var x = G.AddInput("x", TensorType.Of(ElementType.Float, 4));
        return (x, G.AddNode("Relu", [x], ["a"]).Output, G.AddNode("Abs", [x], ["b"]).Output);
    }

    private Graph Subgraph(Graph parent) => new(_model, parent) { Name = "branch" };

    private Node If(Value condition, Graph branch, Graph? graph = null, Graph? other = null)
    {
        var node = (graph ?? G).AddNode("If", [condition], ["choice"]);
        node.Attributes["then_branch"] = branch;
        if (other is not null)
            node.Attributes["else_branch"] = other;
        return node;
    }
}
