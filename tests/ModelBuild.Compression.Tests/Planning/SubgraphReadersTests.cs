using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Planning;

/// <summary>Bodies of If read what is computed in integers, behind operators that only move it: ONNX Runtime 1.31 would end the process.</summary>
public sealed class SubgraphReadersTests : IDisposable
{
    private readonly Nets _nets = new();

    public void Dispose() => _nets.Dispose();

    [Theory]
    [InlineData("Reshape")]
    [InlineData("Transpose")]
    [InlineData("Slice")]
    [InlineData("MaxPool")]
    [InlineData("Unsqueeze")]
    public void An_integer_candidate_runs_in_the_body_of_an_if(string mover)
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        var graph = model.Graph;
        var x = graph.AddInput("x", new(ElementType.Float, [Dimension.Named("n"), 4, 8, 8]));
        var conv = graph.AddNode("Conv", [x, graph.AddInitializer("w", Tensor.Of(Nets.Noise(8 * 4 * 9, 1), 8, 4, 3, 3))], ["conv"]);
        conv.Attributes["pads"] = new long[] { 1, 1, 1, 1 };
        var hidden = graph.AddNode("Relu", [conv.Output], ["hidden"]).Output;
        Value Constant(string name, params long[] values) => graph.AddInitializer(name, Tensor.Of(values, values.Length));
        var moved = mover switch
        {
            "Reshape" => graph.AddNode(mover, [hidden, Constant("shape", 0, -1)], ["moved"]),
            "Slice" => graph.AddNode(mover, [hidden, Constant("start", 0), Constant("end", 4), Constant("axes", 2)], ["moved"]),
            "Unsqueeze" => graph.AddNode(mover, [hidden, Constant("axes", 4)], ["moved"]),
            _ => graph.AddNode(mover, [hidden], ["moved"]),
        };
        if (mover == "MaxPool")
            moved.Attributes["kernel_shape"] = new long[] { 2, 2 };
        var sum = graph.AddNode("ReduceSum", [moved.Output], ["sum"]);
        sum.Attributes["keepdims"] = 0L;
        var branch = graph.AddNode("If", [graph.AddNode("Greater", [sum.Output, graph.AddInitializer("k", Tensor.Scalar(0.1f))], ["positive"]).Output], ["y"]);
        foreach (var (name, op) in new[] { ("then_branch", "Relu"), ("else_branch", "Tanh") })
        {
            var body = new Graph(model, graph) { Name = name };
            body.AddOutput(body.AddNode(op, [moved.Output], [name + ".y"]).Output);
            branch.Attributes[name] = body;
        }
        ShapeInference.Run(model);
        branch.Output.Type ??= moved.Output.Type;
        graph.AddOutput(branch.Output);
        var path = _nets.Write(model);

        var outcome = Nets.Compress(path, _nets.Data(("x", Tensor.Of(Nets.Noise(24 * 4 * 64, 2), 24, 1, 4, 8, 8))), "int8");

        Assert.Equal("int8", outcome.Chosen.Candidate.Recipe);
        Assert.InRange(outcome.Chosen.Candidate.Report!.Deciding.Loss, 0, 0.01);
    }
}
