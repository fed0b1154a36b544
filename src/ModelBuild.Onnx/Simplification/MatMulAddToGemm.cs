namespace ModelBuild.Onnx.Simplification;

/// <summary>Makes a Gemm of a MatMul of two matrices and the Add of a constant row after it.</summary>
internal sealed class MatMulAddToGemm : GraphPass
{
    protected override bool Apply(Node node, PassContext context) => node.Is("Add") && context.Model.Opset >= 7
        && (Fuse(node, 0, context) || Fuse(node, 1, context));

    private static bool Fuse(Node node, int index, PassContext context)
    {
        if (node.Input(index)?.Producer is not { } product || !product.Is("MatMul") || !ReferenceEquals(product.Output.OnlyUser, node)
            || !ReferenceEquals(product.Graph, node.Graph)
            || context.Type(product.Input(0)!) is not { Rank: 2 } type || context.Type(product.Input(1)!) is not { Rank: 2 } second
            || node.Input(1 - index) is not { } addend || context.Constant(addend) is not { } bias
            || type.ElementType is not (ElementType.Float or ElementType.Double or ElementType.Float16) || !second.Shape[1].IsConstant
            // A row, or one number per column: whatever has more rows could be larger than the product.
            || bias.Rank > 2 || bias.Length != 1 && (bias.Shape[^1] != second.Shape[1].Value || bias.Length != bias.Shape[^1]))
            return false;
        var graph = node.Graph;
        var gemm = graph.AddNode("Gemm", [product.Input(0), product.Input(1), addend], [$"{node.Output.Name}/gemm"], before: node);
        gemm.Name = product.Name;
        gemm.Sources = product.Sources;
        gemm.Output.Type = context.Type(node.Output);
        PassContext.Unite(gemm, node);
        PassContext.Absorb(node, gemm.Output);
        graph.Remove(product);
        return true;
    }
}
