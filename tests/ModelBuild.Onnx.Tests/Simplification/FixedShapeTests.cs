namespace ModelBuild.Onnx.Tests;

/// <summary>With fixed input shapes nothing is left to compute about shapes.</summary>
public sealed class FixedShapeTests
{
    [SkippableTheory]
    [InlineData("stories260k")]
    [InlineData("silero_vad")]
    [InlineData("ppocr_rec")]
    public void Shape_arithmetic_is_gone(string name)
    {
        var path = Zoo.PathOf(name);
        var model = OnnxReader.Read(path);
        var inputs = Zoo.Inputs(name, model);
        var expected = OnnxRuntimeSession.Run([], inputs, path);
        foreach (var input in model.Graph.Inputs.Where(i => i.Constant is null))
            input.Type = inputs[input.Name].Type;
        Simplifier.Run(model);

        Assert.Empty(Nodes(model.Graph).Where(n => n.OpType is "Shape" or "Size" or "ConstantOfShape").Select(n => n.ToString()));
        var actual = OnnxRuntimeSession.Run(OnnxWriter.ToBytes(model), inputs);
        foreach (var (o, value) in expected)
            Assert.True(Zoo.Difference(value, actual[o]) <= 1e-5, o);
    }

    // The other branch of silero_vad, for 8 kHz, contradicts 512 samples: nothing about its shapes can be known.
    private static IEnumerable<Node> Nodes(Graph graph) =>
        graph.Nodes.SelectMany(n => n.Attributes.Where(a => a.Key != "else_branch").SelectMany(a => a.Value.Graphs).SelectMany(Nodes).Append(n));
}
