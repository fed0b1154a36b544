namespace ModelBuild.Onnx.Tests;

/// <summary>A copy of a model is the same model, over the same tensors, and edits of it leave the first alone.</summary>
public sealed class CloneTests
{
    [SkippableFact]
    public void Copies_of_conformance_models_are_written_as_the_same_bytes()
    {
        var different = new List<string>();
        foreach (var c in ConformanceSuite.Read(Shared.Path("conformance/onnx-1.23-node.zip"))
            .Concat(ConformanceSuite.Read(Shared.Path("conformance/onnx-1.23-models.zip"))))
        {
            var model = OnnxReader.Read(c.Model);
            if (!OnnxWriter.ToBytes(model.Clone()).AsSpan().SequenceEqual(OnnxWriter.ToBytes(model)))
                different.Add(c.Name);
        }
        Assert.Empty(different);
    }

    [SkippableTheory]
    [MemberData(nameof(Zoo.Names), MemberType = typeof(Zoo))]
    public void Copies_of_whole_models_share_tensors_and_keep_what_no_file_holds(string name)
    {
        var model = OnnxReader.Read(Zoo.PathOf(name));
        ShapeInference.Run(model);
        var before = OnnxWriter.ToBytes(model);
        var copy = model.Clone();
        Assert.Equal(before, OnnxWriter.ToBytes(copy));
        Same(model.Graph, copy.Graph);

        Simplifier.Run(copy);
        Assert.Equal(before, OnnxWriter.ToBytes(model));
    }

    private static void Same(Graph a, Graph b)
    {
        Assert.Equal(a.Values.Select(v => (v.Name, v.Type, v.Uses.Count)), b.Values.Select(v => (v.Name, v.Type, v.Uses.Count)));
        Assert.All(a.Initializers.Zip(b.Initializers), p => Assert.Same(p.First.Constant, p.Second.Constant));
        Assert.All(b.Values, v => Assert.Same(b, v.Graph));
        foreach (var (x, y) in a.Nodes.Zip(b.Nodes))
        {
            Assert.Equal(x.Id, y.Id);
            Assert.Equal(x.Sources.AsEnumerable(), y.Sources);
            foreach (var (g, h) in x.Attributes.Values.SelectMany(v => v.Graphs).Zip(y.Attributes.Values.SelectMany(v => v.Graphs)))
                Same(g, h);
        }
    }
}
