using ModelBuild.Kernels;
using ModelBuild.Managed;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>If: both branches are regions of the program, of which one runs.</summary>
internal static class ControlLowering
{
    public static IEnumerable<KeyValuePair<string, OperatorLowering>> Operators => [new("If", new(If))];

    private static void If(Lowering lowering, Node node)
    {
        if (node.Attributes["then_branch"].Value is not Graph yes || node.Attributes["else_branch"].Value is not Graph no)
            throw Lowering.Unsupported(node);
        var condition = lowering.Read(node, 0, ModelElementType.Bool);
        // A constant one is read in the graph's own code: the simplifier leaves none.
        if (condition.Base.Kind != OperandKind.Buffer || condition.Elements != 1)
            throw Lowering.Unsupported(node);
        TensorView[] outputs = [.. node.Outputs.Select(o => lowering.Write(o))];
        lowering.LowerRegion(yes, condition, true, [.. outputs], node);
        lowering.LowerRegion(no, condition, false, [.. outputs], node);
    }
}
