using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Planning;

public class DeclaredShapesTests
{
    [Fact]
    public void A_sample_that_keeps_all_declarations_contradicts_nothing() => Assert.Empty(Contradictions([3, 4], [4], [3, 8], [4]));

    [Theory]
    [InlineData(new long[] { 3, 4 }, new long[] { 4 }, new long[] { 3, 9 }, new long[] { 4 },
        "output 'y' has the shape [3,9], the model declares 8 for dimension 1")]
    [InlineData(new long[] { 3, 4 }, new long[] { 4 }, new long[] { 24 }, new long[] { 4 }, "output 'y' has 1 dimensions ([24]), the model declares 2 ([N,8])")]
    [InlineData(new long[] { 3, 4 }, new long[] { 5 }, new long[] { 3, 8 }, new long[] { 4 },
        "input 'b' has the shape [5]: the dimension 'M' is 5 there and 4 in 'a'")]
    [InlineData(new long[] { 3, 4 }, new long[] { 4 }, new long[] { 2, 8 }, new long[] { 4 },
        "output 'y' has the shape [2,8]: the dimension 'N' is 2 there and 3 in 'a'")]
    [InlineData(new long[] { 3, 4 }, new long[] { 4 }, new long[] { 3, 8 }, new long[] { 7 },
        "output 'z' has the shape [7]: the dimension 'M' is 7 there and 4 in 'a'")]
    public void What_a_sample_contradicts_is_named(long[] a, long[] b, long[] y, long[] z, string expected) =>
        Assert.Equal([expected], Contradictions(a, b, y, z));

    [Fact]
    public void The_warning_counts_what_it_does_not_say()
    {
        var declared = Declared();
        Assert.Null(declared.Finding);
        for (var i = 0; i < 2; i++)
            Look(declared, [3, 4], [5], [2, 8], [4]);
        var finding = declared.Finding!;
        Assert.Equal((Severity.Warning, "MDLB2030"), (finding.Severity, finding.Code));
        Assert.Contains("input 'b' has the shape [5]: the dimension 'M' is 5 there and 4 in 'a' (and 1 more)", finding.Text, StringComparison.Ordinal);
    }

    private static IReadOnlyList<string> Contradictions(long[] a, long[] b, long[] y, long[] z)
    {
        var declared = Declared();
        Look(declared, a, b, y, z);
        return declared.Contradictions;
    }

    private static DeclaredShapes Declared()
    {
        var model = new Model { Opset = 17 };
        model.Graph.AddInput("a", new(ElementType.Float, [Dimension.Named("N"), Dimension.Named("M")]));
        model.Graph.AddInput("b", new(ElementType.Float, [Dimension.Named("M")]));
        foreach (var (name, type) in new[] { ("y", new TensorType(ElementType.Float, [Dimension.Named("N"), 8])),
            ("z", new TensorType(ElementType.Float, [Dimension.Named("M")])) })
            model.Graph.AddOutput(model.Graph.AddValue(name, type));
        return new(model);
    }

    private static void Look(DeclaredShapes declared, long[] a, long[] b, long[] y, long[] z) => declared.Look(
        new Dictionary<string, Tensor> { ["a"] = Of(a), ["b"] = Of(b), ["other"] = Of([1]) }, new Dictionary<string, Tensor> { ["y"] = Of(y), ["z"] = Of(z) });

    private static Tensor Of(long[] shape) => Tensor.Of(new float[Tensor.Count(shape)], shape);
}
