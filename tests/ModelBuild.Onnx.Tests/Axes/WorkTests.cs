namespace ModelBuild.Onnx.Tests;

/// <summary>Multiply-adds and bytes that operators state, against counting by hand.</summary>
public sealed class WorkTests
{
    [Theory]
    // 2 samples, 8 filters of 4/2 channels and 3x3 taps, at 3x3 places.
    [InlineData("Conv", 2L * 8 * 3 * 3 * 2 * 3 * 3)]
    // Each of 10 inputs with each of 6 outputs, 5 rows.
    [InlineData("Gemm", 5L * 10 * 6)]
    [InlineData("MatMul", 3L * 5 * 10 * 6)]
    [InlineData("Einsum", 3L * 5 * 10 * 6)]
    // 7 steps of 2 samples: 4 gates of 5 units over 3 inputs and 5 units, both directions.
    [InlineData("LSTM", 7L * 2 * 2 * 4 * 5 * (3 + 5))]
    // 2 samples, 4 heads, 6 queries, 9 keys: scores over 8 features, sums over 8 features.
    [InlineData("Attention", 2L * 4 * 6 * 9 * (8 + 8))]
    [InlineData("Relu", 0)]
    public void Multiply_adds_are_those_of_the_definition(string opType, long expected)
    {
        var b = new GraphBuilder(23);
        (Value[] inputs, (string, AttributeValue)[] attributes) = opType switch
        {
            "Conv" => ([b.Input("x", 2, 4, 5, 5), b.Input("w", 8, 2, 3, 3)], [("group", 2L)]),
            "Gemm" => ([b.Input("a", 10, 5), b.Input("b", 6, 10)], [("transA", 1L), ("transB", 1L)]),
            "MatMul" => ([b.Input("a", 3, 5, 10), b.Input("b", 10, 6)], []),
            "Einsum" => ([b.Input("a", 3, 5, 10), b.Input("b", 10, 6)], [("equation", "bik,kj->bij")]),
            "LSTM" => ([b.Input("x", 7, 2, 3), b.Input("w", 2, 20, 3), b.Input("r", 2, 20, 5)], [("hidden_size", 5L), ("direction", "bidirectional")]),
            "Attention" => ([b.Input("q", 2, 4, 6, 8), b.Input("k", 2, 4, 9, 8), b.Input("v", 2, 4, 9, 8)], []),
            _ => ((Value[], (string, AttributeValue)[]))([b.Input("x", 2, 3)], []),
        };
        var node = b.Finish(b.Node(opType, inputs, attributes)).Graph.Nodes[^1];
        Assert.Equal(expected, WorkOf(node).MultiplyAdds);
    }

    /// <summary>Every input element of a transposed convolution meets every tap of its channel's filters.</summary>
    [Fact]
    public void A_transposed_convolution_is_counted_by_its_outputs()
    {
        var b = new GraphBuilder();
        var node = b.Finish(b.Node("ConvTranspose", [b.Input("x", 1, 4, 6, 6), b.Input("w", 4, 3, 2, 2)], ("strides", new[] { 2L, 2 }))).Graph.Nodes[^1];
        // [1, 3, 12, 12], each a sum over 4 channels and up to 2x2 taps.
        Assert.Equal(3 * 12 * 12 * 4 * 2 * 2, WorkOf(node).MultiplyAdds);
    }

    [Fact]
    public void Bytes_are_those_of_the_types()
    {
        var b = new GraphBuilder();
        var node = b.Finish(b.Node("Cast", [b.Input("x", 2, 3)], ("to", (long)ElementType.Float16))).Graph.Nodes[^1];
        Assert.Equal(new(0, 24, 12), WorkOf(node));
    }

    private static Work WorkOf(Node node) => OperatorRegistry.Find(node.Domain, node.OpType)!.Work(new(node, ShapeOf));

    private static double[]? ShapeOf(Value value) => value.Type?.StaticShape is { } s ? [.. s.Select(static d => (double)d)] : null;
}
