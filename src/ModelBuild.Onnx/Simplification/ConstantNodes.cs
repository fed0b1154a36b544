using ModelBuild.Onnx.Operators;

namespace ModelBuild.Onnx.Simplification;

/// <summary>Makes initializers of Constant nodes.</summary>
internal sealed class ConstantNodes : GraphPass
{
    protected override bool Apply(Node node, PassContext context)
    {
        if (!node.Is("Constant") || node.Output.IsGraphOutput || node.Attributes.Values.Any(a => a.ReferenceName is not null))
            return false;
        PassContext.ReplaceByConstant(node.Output, Constant.Data(node));
        node.Graph.Remove(node);
        return true;
    }
}
