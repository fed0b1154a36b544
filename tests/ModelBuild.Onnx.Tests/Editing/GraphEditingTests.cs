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

    [Fact]
    public void A_subgraph_that_is_replaced_or_removed_gives_up_what_it_reads()
    {
        var (x, a, b) = Values();
        Graph Reading(Value value)
        {
            var branch = Subgraph(G);
            branch.AddOutput(branch.AddNode("Neg", [value], ["inner"]).Output);
            return branch;
        }

        var choice = If(x, Reading(a));
        choice.Attributes["then_branch"] = Reading(b);
        Assert.Equal((0, 1), (a.Uses.Count, b.Uses.Count));
        choice.Attributes["then_branch"] = choice.Attributes["then_branch"];
        Assert.Single(b.Uses);

        // A subgraph that was given to another node lives as long as that one.
        var other = G.AddNode("If", [x], ["other"]);
        other.Attributes["then_branch"] = choice.Attributes["then_branch"];
        G.Remove(choice);
        Assert.Single(b.Uses);
        other.Attributes.Remove("then_branch");
        Assert.True(b.IsUnused);
    }

    [Fact]
    public void Keys_and_ids_are_unique_over_all_graphs()
    {
        var (x, a, _) = Values();
        var (first, second, deep) = (Subgraph(G), Subgraph(G), default(Graph));
        deep = Subgraph(second);
        foreach (var graph in new[] { first, second, deep })
            graph.AddOutput(graph.AddNode("Neg", [a], ["same"]).Output);
        var inner = If(x, deep, second);
        If(x, first, G, second);

        Assert.Equal([G, second, deep, first], _model.Graphs);
        Assert.Equal(["a", "b", "choice", "choice/else_branch/same", "choice/else_branch/choice", "choice/else_branch/choice/then_branch/same_1",
            "choice/then_branch/same"],
            _model.Nodes.Select(n => n.Key));
        Assert.Equal(_model.Nodes.Count(), _model.Nodes.Select(n => n.Id).Distinct().Count());
        Assert.Same(inner, deep.Owner);
        var copy = _model.Clone();
        Assert.Equal(_model.Nodes.Select(n => (n.Key, n.Id)), copy.Nodes.Select(n => (n.Key, n.Id)));
        Assert.DoesNotContain(copy.Graph.AddNode("Neg", [copy.Graph.Find("x")], ["new"]).Id, _model.Nodes.Select(n => n.Id));
    }

    [Fact]
    public void A_shared_initializer_is_copied_when_one_reader_changes_it()
    {
        var (x, _, _) = Values();
        var w = G.AddInitializer("w", Tensor.Vector(1f, 2f));
        var branch = Subgraph(G);
        var (one, two) = (G.AddNode("Add", [x, w], ["one"]), branch.AddNode("Add", [x, w], ["two"]));
        branch.AddOutput(two.Output);
        If(x, branch);

        two.SetConstant(1, Tensor.Vector(3f));
        Assert.Equal([1f, 2f], one.Input(1)!.Constant!.ToArray<float>());
        Assert.Equal([3f], two.Input(1)!.Constant!.ToArray<float>());
        Assert.Equal((G, 1), (two.Input(1)!.Graph, two.Input(1)!.Uses.Count));
        // Its only reader changes it in place, and what is known of it.
        one.SetConstant(1, Tensor.Vector(4f, 5f, 6f));
        Assert.Same(w, one.Input(1));
        Assert.Equal(TensorType.Of(ElementType.Float, 3), w.Type);
        Assert.Throws<InvalidOperationException>(() => one.SetConstant(0, Tensor.Vector(1f)));
        G.AddOutput(w);
        one.SetConstant(1, Tensor.Vector(7f));
        Assert.NotSame(w, one.Input(1));
    }

    [Fact]
    public void Outputs_are_added_to_nodes()
    {
        var (_, a, _) = Values();
        var pool = G.AddNode("MaxPool", [a], ["pooled"]);
        var indices = G.AddOutput(pool, "a");
        Assert.Equal(("a_1", pool, 1), (indices.Name, indices.Producer, indices.ProducerIndex));
        Assert.Equal([pool.Output, indices], pool.Outputs);
        Assert.Throws<ArgumentException>(() => Subgraph(G).AddOutput(pool, "more"));
    }

    [Fact]
    public void What_was_known_before_a_change_is_dropped_before_types_are_inferred_anew()
    {
        var condition = G.AddInput("condition", TensorType.Of(ElementType.Bool));
        var x = G.AddInput("x", TensorType.Of(ElementType.Float, 2, 6));
        var w = G.AddInitializer("w", Tensor.Of(new float[24], 6, 4));
        var h = G.AddNode("MatMul", [x, w], ["h"]);
        var branches = new[] { Subgraph(G), Subgraph(G) };
        foreach (var branch in branches)
            branch.AddOutput(branch.AddNode("Relu", [h.Output], ["r"]).Output);
        var choice = If(condition, branches[0], G, branches[1]);
        G.AddOutput(G.AddNode("ReduceSum", [choice.Output], ["y"]).Output);
        ShapeInference.Run(_model);
        // A file that declares the inner types, as files do.
        var model = OnnxReader.Read(OnnxWriter.ToBytes(_model));
        ShapeInference.Run(model);
        Assert.Equal(4, model.Graph.Find("h")!.Type!.Shape[1].Value);

        model.Graph.Find("h")!.Producer!.SetConstant(1, Tensor.Of(new float[18], 6, 3));
        ShapeInference.RunAnew(model);
        Assert.All(["h", "choice"], name => Assert.Equal(TensorType.Of(ElementType.Float, 2, 3), model.Graph.Find(name)!.Type));
        Assert.All(model.Graphs.Skip(1), branch => Assert.Equal(TensorType.Of(ElementType.Float, 2, 3), branch.Outputs[0].Type));
        Assert.Equal(TensorType.Of(ElementType.Float, 2, 6), model.Graph.Find("x")!.Type);
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
