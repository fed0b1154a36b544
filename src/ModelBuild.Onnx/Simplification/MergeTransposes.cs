using ModelBuild.Onnx.Operators;

namespace ModelBuild.Onnx.Simplification;

/// <summary>Makes one Transpose of two.</summary>
internal sealed class MergeTransposes : GraphPass
{
    protected override bool Apply(Node node, PassContext context)
    {
        if (!node.Is("Transpose") || node.Input(0)?.Producer is not { } first || !first.Is("Transpose") || !ReferenceEquals(first.Graph, node.Graph)
            || context.Type(first.Input(0)!) is not { HasRank: true } type)
            return false;
        var inner = Transpose.Order(first, type.Rank);
        var outer = Transpose.Order(node, type.Rank);
        node.Attributes["perm"] = outer.Select(a => (long)inner[a]).ToArray();
        node.SetInput(0, first.Input(0));
        PassContext.Unite(node, first);
        return true;
    }
}
