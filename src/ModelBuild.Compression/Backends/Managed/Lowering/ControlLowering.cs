using System.Collections.Immutable;
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
        // A branch by a constant stands in the graph itself by now, if it can.
        if (condition.Base.Kind != OperandKind.Buffer || condition.Elements != 1)
            throw Lowering.Unsupported(node);
        ImmutableArray<TensorView> outputs = [.. node.Outputs.Select(o => lowering.Write(o))];
        lowering.LowerRegion(yes, condition, true, outputs, node);
        lowering.LowerRegion(no, condition, false, outputs, node);
    }
}
