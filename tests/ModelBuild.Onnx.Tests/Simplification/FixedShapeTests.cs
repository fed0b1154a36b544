namespace ModelBuild.Onnx.Tests;

/// <summary>
/// With fixed input shapes nothing is left to compute about shapes: every node that is left depends on what the inputs hold, not on their sizes alone.
/// </summary>
public sealed class FixedShapeTests
{
    // silero_vad chooses by sr between a branch for 16 kHz and one for 8 kHz. 256 samples suit both; 512 contradict the second, which then cannot be run at
    // all.
    [SkippableTheory]
    [InlineData("stories260k", "input_ids=1,9", 0)]
    [InlineData("ppocr_rec", "x=1,3,48,64", 0)]
    [InlineData("silero_vad", "input=1,512;state=2,1,128", 16000, "then_branch")]
    [InlineData("silero_vad", "input=1,256;state=2,1,128", 16000, "then_branch", "else_branch")]
    [InlineData("silero_vad", "input=1,256;state=2,1,128", 8000, "then_branch", "else_branch")]
    public void Shape_arithmetic_is_gone(string name, string shapes, long rate, params string[] branches)
    {
        var path = Zoo.PathOf(name);
        var model = OnnxReader.Read(path);
        var sizes = shapes.Split(';').Select(s => s.Split('=')).ToDictionary(s => s[0], s => s[1].Split(',').Select(long.Parse).ToArray());
        var fixedDimensions = new Dictionary<string, long>();
        foreach (var (input, shape) in sizes)
        {
            var value = model.Graph.Inputs.Single(i => i.Name == input);
            // As the signature does it, dimensions without a name are given one.
            value.Type = value.Type! with { Shape = [.. value.Type.Shape.Select((d, i) => d.IsUnknown ? Dimension.Named($"{input}{i}") : d)] };
            for (var i = 0; i < shape.Length; i++)
                if (value.Type.Shape[i].Name is { } dimension)
                    fixedDimensions[dimension] = shape[i];
        }
        var inputs = RandomInputs.Of(model, 7, (input, axis) => sizes[input.Name][axis]);
        if (rate > 0)
            inputs["sr"] = Tensor.Scalar(rate);
        var expected = OnnxRuntimeSession.Run([], inputs, path);

        Simplifier.Run(model, new() { FixedDimensions = fixedDimensions });

        var dependent = model.Graph.Inputs.ToHashSet();
        Assert.Empty(Independent(model.Graph, dependent, branches));
        var actual = OnnxRuntimeSession.Run(OnnxWriter.ToBytes(model), inputs);
        foreach (var (o, value) in expected)
            Assert.True(Zoo.Difference(value, actual[o]) <= 1e-5, $"{o} differs by {Zoo.Difference(value, actual[o]):E1}: {Numbers.Doubles(value)[0]}");
    }

    /// <summary>Nodes that do not depend on the content of the inputs, and every branch whose condition does not.</summary>
    private static IEnumerable<string> Independent(Graph graph, HashSet<Value> dependent, string[] branches)
    {
        foreach (var node in graph.Nodes)
        {
            // Sizes are all that these see of their input.
            if (node.OpType is "Shape" or "Size" || !(node.Is("If") ? node.Inputs.OfType<Value>() : Graph.Dependencies(node)).Any(dependent.Contains))
                yield return node.ToString();
            dependent.UnionWith(node.Outputs);
            foreach (var inner in node.Attributes.Where(a => branches.Contains(a.Key)).SelectMany(a => a.Value.Graphs))
                foreach (var found in Independent(inner, dependent, branches))
                    yield return found;
        }
    }
}
