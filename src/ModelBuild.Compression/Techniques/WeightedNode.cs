using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>A node that multiplies activations by constant weights, and where its channels lie.</summary>
/// <param name="Node">Conv, Gemm or MatMul.</param>
/// <param name="Weights">The constant weights.</param>
/// <param name="Axis">The axis of the output channels.</param>
/// <param name="Bias">The constant bias with one value per output channel, or null.</param>
public sealed record WeightedNode(Node Node, Value Weights, int Axis, Value? Bias)
{
    /// <summary>Number of output channels.</summary>
    public int Channels => (int)Weights.Constant!.Shape[Axis];

    /// <summary>The view of a node as one with weights, or null where it is none, or has a form that integer kernels do not take.</summary>
    public static WeightedNode? Of(Node node)
    {
        if (node.Input(1)?.Constant is not { ElementType: ElementType.Float } weights || node.Input(0) is not { Constant: null } input
            || input.Type is { ElementType: not ElementType.Float })
            return null;
        if (node.Is("Conv") && weights.Rank >= 3)
            return WithBias(node, 0);
        if (node.Is("MatMul") && weights.Rank == 2)
            return new(node, node.Input(1)!, 1, null);
        if (node.Is("Gemm") && weights.Rank == 2 && node.Int("transA") == 0 && node.Float("alpha", 1) == 1 && node.Float("beta", 1) == 1)
            return WithBias(node, node.Int("transB") == 1 ? 0 : 1);
        return null;
    }

    private static WeightedNode? WithBias(Node node, int axis)
    {
        var bias = node.Input(2);
        var channels = node.Input(1)!.Constant!.Shape[axis];
        if (bias is null)
            return new(node, node.Input(1)!, axis, null);
        return bias.Constant is { ElementType: ElementType.Float } b && b.Length == channels && (b.Rank == 0 || b.Shape[^1] == channels)
            ? new(node, node.Input(1)!, axis, bias)
            : null;
    }
}
