namespace ModelBuild.Onnx.Simplification;

/// <summary>Folds a constant that is added to, subtracted from or multiplied with the output of a Conv, ConvTranspose or Gemm into its weights.</summary>
internal sealed class FoldAffine : GraphPass
{
    public override bool Run(Graph graph, PassContext context) => !PassContext.Quantizes(graph) && base.Run(graph, context);

    protected override bool Apply(Node node, PassContext context)
    {
        if (node.Domain.Length != 0 || node.OpType is not ("Add" or "Sub" or "Mul" or "Div") || context.Model.Opset < 7)
            return false;
        return Fold(node, 0, context) || node.OpType is "Add" or "Mul" && Fold(node, 1, context);
    }

    private static bool Fold(Node node, int index, PassContext context)
    {
        if (LinearLayer.Before(node.Input(index), context) is not { } layer || context.Constant(node.Input(1 - index)) is not { } constant
            || context.Type(node.Output)?.Rank != layer.Rank || ChannelParameter.Of(constant, layer.Rank, 1, layer.Channels) is not { } values)
            return false;
        var ones = Enumerable.Repeat(1.0, layer.Channels).ToArray();
        var (scale, shift) = node.OpType switch
        {
            "Add" => (ones, values),
            "Sub" => (ones, Array.ConvertAll(values, static v => -v)),
            "Mul" => (values, new double[layer.Channels]),
            _ => (Array.ConvertAll(values, static v => 1 / v), new double[layer.Channels]),
        };
        if (!layer.CanChange(scale, shift) || !PassContext.CanReplace(node.Output, node.Input(index)!))
            return false;
        layer.Change(scale, shift, node);
        PassContext.Absorb(node, node.Input(index)!);
        return true;
    }
}
