using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Lowering;

/// <summary>Loops on the managed backend, against ONNX Runtime.</summary>
public sealed class LoopLoweringTests : IDisposable
{
    private readonly Nets _nets = new();

    public void Dispose() => _nets.Dispose();

    private static Tensor Floats(int seed, params long[] shape) => Tensor.Of(Nets.Noise((int)Tensor.Count(shape), seed), shape);

    private static Value Node(Graph graph, string op, string name, params Value?[] inputs) => graph.AddNode(op, inputs, [name]).Output;

    private static (Model Model, Value X) Start()
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        return (model, model.Graph.AddInput("x", new TensorType(ElementType.Float, [Dimension.Named("batch"), 5])));
    }

    private static Graph Body(Model model, int carried, Dimension rows)
    {
        var body = new Graph(model, model.Graph) { Name = "body" };
        body.AddInput("i", TensorType.Of(ElementType.Int64));
        body.AddInput("on", TensorType.Of(ElementType.Bool));
        for (var c = 0; c < carried; c++)
            body.AddInput($"in{c}", new(ElementType.Float, [rows, 5]));
        return body;
    }

    private static Node Loop(Graph graph, Graph body, Value? most, Value? condition, params Value[] carried)
    {
        var loop = graph.AddNode("Loop", [most, condition, .. carried], Enumerable.Range(0, body.Outputs.Count - 1).Select(i => $"y{i}"));
        loop.Attributes["body"] = body;
        return loop;
    }

    private ManagedRunner Lower(Model model)
    {
        ShapeInference.Run(model);
        Assert.True(ManagedLowering.TryLower(model, new byte[32], null, out var program, out var why), why);
        var path = _nets.Folder.File("m.modelbuild");
        File.WriteAllBytes(path, program);
        return new(path, DescriptionBuilder.Of(model.Graph, new byte[32]));
    }

    private void Compare(Model model, params Dictionary<string, Tensor>[] calls)
    {
        using var managed = Lower(model);
        using var runtime = new OnnxRuntimeRunner(_nets.Write(model));
        foreach (var inputs in calls)
        {
            var (ours, theirs) = (managed.Run(inputs), runtime.Run(inputs));
            foreach (var output in model.Graph.Outputs)
            {
                Assert.Equal(theirs[output.Name].Shape.ToArray(), ours[output.Name].Shape.ToArray());
                Assert.Equal(theirs[output.Name].ToArray<float>(), ours[output.Name].ToArray<float>(),
                    (a, b) => Math.Abs(a - b) <= 1e-5 * (1 + Math.Abs(a)));
            }
        }
    }

    private static Dictionary<string, Tensor> X(int seed, long rows) => new() { ["x"] = Floats(seed, rows, 5) };

    /// <summary>Two states that are each made of the other one, a value of the graph around, what each turn gives, and what comes behind the loop.</summary>
    [Fact]
    public void States_are_carried_and_results_collected()
    {
        var (model, x) = Start();
        var graph = model.Graph;
        var w = graph.AddInitializer("w", Floats(1, 5, 5));
        var body = Body(model, 2, Dimension.Named("batch"));
        var product = Node(body, "Tanh", "t", Node(body, "MatMul", "p", body.Inputs[2], w));
        var sum = Node(body, "Add", "s", product, x);
        var step = Node(body, "Cast", "f", body.Inputs[0]);
        body.Nodes[^1].Attributes["to"] = (long)ElementType.Float;
        body.AddOutput(Node(body, "Identity", "go", body.Inputs[1]));
        body.AddOutput(Node(body, "Identity", "b", body.Inputs[3]));
        body.AddOutput(sum);
        body.AddOutput(Node(body, "Mul", "m", sum, step));
        var loop = Loop(graph, body, graph.AddInitializer("n", Tensor.Scalar(4L)), graph.AddInitializer("true", Tensor.Scalar(true)), x,
            Node(graph, "Neg", "minus", x));
        graph.AddOutput(Node(graph, "Add", "last", loop.Outputs[0], x));
        graph.AddOutput(loop.Outputs[1]);
        graph.AddOutput(Node(graph, "Relu", "all", loop.Outputs[2]));
        Compare(model, X(10, 3), X(11, 1), X(12, 7));
    }

    /// <summary>How often it runs is in the data: the number and a condition, both, or none at all.</summary>
    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void The_number_of_turns_comes_from_data(bool counts, bool asks)
    {
        var (model, x) = Start();
        var graph = model.Graph;
        var most = counts ? graph.AddInput("n", TensorType.Of(ElementType.Int64, 1)) : null;
        var begins = asks ? graph.AddInput("begins", TensorType.Of(ElementType.Bool)) : null;
        var body = Body(model, 1, Dimension.Named("batch"));
        var doubled = Node(body, "Add", "d", body.Inputs[2], body.Inputs[2]);
        if (asks)
        {
            var largest = body.AddNode("ReduceMax", [Node(body, "Abs", "a", doubled)], ["r"]);
            largest.Attributes["keepdims"] = 0L;
            body.AddOutput(Node(body, "Less", "go", largest.Output, body.AddInitializer("limit", Tensor.Scalar(20f))));
        }
        else
            body.AddOutput(body.AddInitializer("go", Tensor.Scalar(true)));
        body.AddOutput(doubled);
        var loop = Loop(graph, body, most, begins, x);
        graph.AddOutput(Node(graph, "Neg", "y", loop.Outputs[0]));
        Dictionary<string, Tensor> Call(int seed, long n, bool go)
        {
            var inputs = X(seed, 2);
            if (counts)
                inputs["n"] = Tensor.Vector([n]);
            if (asks)
                inputs["begins"] = Tensor.Scalar(go);
            return inputs;
        }
        Compare(model, Call(1, 3, true), Call(2, 0, true), Call(3, 9, false), Call(4, 9, true), Call(5, 1, true));
    }

    /// <summary>A loop in a loop, and a branch in both.</summary>
    [Fact]
    public void Bodies_have_bodies()
    {
        var (model, x) = Start();
        var graph = model.Graph;
        var outer = Body(model, 1, Dimension.Named("batch"));
        var inner = new Graph(model, outer) { Name = "inner" };
        inner.AddInput("j", TensorType.Of(ElementType.Int64));
        inner.AddInput("also", TensorType.Of(ElementType.Bool));
        var state = inner.AddInput("h", new(ElementType.Float, [Dimension.Named("batch"), 5]));
        var condition = Node(inner, "Less", "odd", inner.Inputs[0], outer.Inputs[0]);
        var branch = inner.AddNode("If", [condition], ["chosen"]);
        foreach (var (key, op) in new[] { ("then_branch", "Sin"), ("else_branch", "Tanh") })
        {
            var arm = new Graph(model, inner) { Name = key };
            arm.AddOutput(Node(arm, op, key, state));
            branch.Attributes[key] = arm;
        }
        branch.Output.Type = new(ElementType.Float, [Dimension.Named("batch"), 5]);
        inner.AddOutput(inner.AddInitializer("yes", Tensor.Scalar(true)));
        inner.AddOutput(Node(inner, "Add", "more", branch.Output, outer.Inputs[2]));
        var nested = outer.AddNode("Loop", [outer.AddInitializer("three", Tensor.Scalar(3L)), null, outer.Inputs[2]], ["nested"]);
        nested.Attributes["body"] = inner;
        outer.AddOutput(outer.AddInitializer("go", Tensor.Scalar(true)));
        outer.AddOutput(nested.Output);
        var loop = Loop(graph, outer, graph.AddInitializer("n", Tensor.Scalar(2L)), null, x);
        graph.AddOutput(loop.Output);
        Compare(model, X(1, 3), X(2, 1));
    }

    [Fact]
    public void A_state_that_grows_is_refused_by_name()
    {
        var (model, x) = Start();
        var graph = model.Graph;
        var body = Body(model, 1, Dimension.Unknown);
        body.AddOutput(body.AddInitializer("go", Tensor.Scalar(true)));
        var grown = body.AddNode("Concat", [body.Inputs[2], x], ["g"]);
        grown.Attributes["axis"] = 0L;
        body.AddOutput(grown.Output);
        var loop = Loop(graph, body, graph.AddInitializer("n", Tensor.Scalar(3L)), null, x);
        graph.AddOutput(loop.Output);
        ShapeInference.Run(model);
        Assert.False(ManagedLowering.TryLower(model, new byte[32], null, out _, out var why));
        Assert.Contains("Loop", why, StringComparison.Ordinal);
    }

    [Fact]
    public void A_loop_without_an_end_is_an_error()
    {
        var (model, x) = Start();
        var graph = model.Graph;
        var body = Body(model, 1, Dimension.Named("batch"));
        body.AddOutput(body.AddInitializer("go", Tensor.Scalar(true)));
        body.AddOutput(Node(body, "Neg", "m", body.Inputs[2]));
        graph.AddOutput(Loop(graph, body, null, null, x).Output);
        using var managed = Lower(model);
        Assert.Contains("turns", Assert.Throws<ArgumentException>(() => managed.Run(X(1, 1))).Message, StringComparison.Ordinal);
    }
}
