namespace ModelBuild.Onnx.Tests;

public sealed class DimensionTests
{
    private static readonly Dimension A = Dimension.Named("a");
    private static readonly Dimension B = Dimension.Named("b");

    [Fact]
    public void A_name_is_not_the_expression_that_it_spells()
    {
        Assert.Equal("a*b", (A * B).ToString());
        Assert.NotEqual(Dimension.Named("a*b"), A * B);
        Assert.NotEqual(Dimension.Named("a+b"), A + B);
        Assert.NotEqual(Dimension.Named("2*a"), 2 * A);
        Assert.NotEqual(Dimension.Named("7"), Dimension.Of(7));
        Assert.NotEqual(Dimension.Named("floor((a)/(b))"), A / B);
        Assert.NotEqual(Dimension.Named("a*b") * Dimension.Named("c"), A * Dimension.Named("b*c"));
        Assert.NotEqual(Dimension.Of(0), Dimension.Named("a*b") - A * B);
    }

    [Fact]
    public void Equal_sizes_compare_equal_however_they_are_put_together()
    {
        Assert.Equal(A * B + A, A * (B + 1));
        Assert.Equal(A, A * B / B);
        Assert.Equal((A + B).GetHashCode(), (B + A).GetHashCode());
        Assert.Equal(Dimension.Of(0), A * B - B * A);
    }

    [Fact]
    public void What_is_broadcast_is_one_of_its_parts()
    {
        var (a, b) = (A.Expression!, B.Expression!);
        var both = DimensionExpression.Broadcast(a, b);
        Assert.Equal(both, DimensionExpression.Broadcast(b, a));
        Assert.Equal(both, DimensionExpression.Broadcast(both, a));
        Assert.Equal(a, DimensionExpression.Broadcast(a, DimensionExpression.Constant(1)));
        foreach (var (x, y, size) in new[] { (1L, 5L, 5L), (5, 1, 5), (4, 4, 4), (1, 0, 0), (0, 1, 0) })
        {
            var binding = new Dictionary<string, long> { ["a"] = x, ["b"] = y };
            Assert.Equal(size, both.Evaluate(binding));
            Assert.Equal(DimensionExpression.Constant(size), both.Substitute(binding));
        }
    }

    [Fact]
    public void A_size_that_only_a_run_tells_has_no_name_that_a_model_could_use()
    {
        var fresh = Dimension.Of(DimensionExpression.Fresh("?count0"));
        Assert.NotEqual(Dimension.Named("?count0"), fresh);
        Assert.Null(fresh.Name);
        Assert.Null(fresh.Expression!.Evaluate(new Dictionary<string, long> { ["?count0"] = 3 }));
    }

    [Fact]
    public void Sizes_are_merged_by_what_they_are_and_not_by_their_text()
    {
        var g = new GraphBuilder();
        var x = g.Model.Graph.AddInput("x", new(ElementType.Float, [A, B]));
        var y = g.Model.Graph.AddInput("y", new(ElementType.Float, [Dimension.Named("a*b")]));
        var product = g.Node("ReduceProd", [g.Node("Shape", x)], ("keepdims", 1L));
        var outputs = new[] { g.Node("ConstantOfShape", product), g.Node("ConstantOfShape", g.Node("Shape", y)) };
        foreach (var output in outputs)
        {
            g.Model.Graph.AddOutput(output);
            output.Type = new(ElementType.Float, [Dimension.Unknown]);
        }
        var inputs = new Dictionary<string, Tensor> { ["x"] = Tensor.Of(new float[6], 2, 3), ["y"] = Tensor.Of(new float[5], 5) };
        var expected = OnnxRuntimeSession.Run(OnnxWriter.ToBytes(g.Model), inputs);

        Simplifier.Run(g.Model);

        var actual = OnnxRuntimeSession.Run(OnnxWriter.ToBytes(g.Model), inputs);
        Assert.All(expected, e => Assert.Equal(e.Value.Shape.ToArray(), actual[e.Key].Shape.ToArray()));
    }
}
