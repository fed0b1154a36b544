using ModelBuild.Onnx.Operators;

namespace ModelBuild.Onnx.Simplification;

/// <summary>Makes one Reshape of two nodes that only change the shape.</summary>
internal sealed class MergeViews : GraphPass
{
    protected override bool Apply(Node node, PassContext context)
    {
        if (!IsView(node, context) || node.Input(0)?.Producer is not { } first || !IsView(first, context) || !ReferenceEquals(first.Graph, node.Graph)
            || first.Input(0) is not { } source)
            return false;
        if (PassContext.SameShape(context.Type(source), context.Type(node.Output)) && PassContext.Bypass(node, source))
            return true;
        // ONNX Runtime knows the masks of attention by their two Unsqueeze, which cost nothing.
        if (node.Is("Unsqueeze") && first.Is("Unsqueeze"))
            return false;
        if (context.Type(node.Output) is not { HasRank: true } type || PassContext.ReshapeArgument(type.Shape) is not { } shape)
            return false;
        node.OpType = "Reshape";
        node.Attributes.Clear();
        if (context.Model.Opset < 5)
            node.Attributes["shape"] = shape;
        else
            node.SetInput(1, node.Graph.AddInitializer($"{node.DisplayName}/shape", Tensor.Vector(shape)));
        node.SetInput(0, source);
        PassContext.Unite(node, first);
        return true;
    }

    private static bool IsView(Node node, PassContext context) => node.Domain.Length == 0 && node.OpType switch
    {
        "Reshape" or "Flatten" or "Squeeze" or "Unsqueeze" => true,
        "Transpose" => MovesOnes(node, context.Type(node.Input(0)!)),
        _ => false,
    };

    /// <summary>Whether a Transpose leaves the order of all dimensions that are not 1, so that the elements stay where they are.</summary>
    private static bool MovesOnes(Node node, TensorType? type)
    {
        if (type is not { HasRank: true })
            return false;
        var order = Transpose.Order(node, type.Rank).Where(a => !type.Shape[a].IsConstant || type.Shape[a].Value != 1).ToArray();
        return order.SequenceEqual(order.Order());
    }
}
