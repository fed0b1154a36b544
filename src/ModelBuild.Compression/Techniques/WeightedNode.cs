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

    // The forms that integer kernels take; where weights, channels and bias lie, the operators state themselves.
    private static readonly Dictionary<string, Func<Node, int, bool>> Forms = new(StringComparer.Ordinal)
    {
        ["Conv"] = static (_, rank) => rank >= 3,
        ["MatMul"] = static (_, rank) => rank == 2,
        ["Gemm"] = static (n, rank) => rank == 2 && n.Int("transA") == 0 && n.Float("alpha", 1) == 1 && n.Float("beta", 1) == 1,
    };

    /// <summary>The operators that can be viewed so.</summary>
    public static IReadOnlyCollection<string> Operators => Forms.Keys;

    /// <summary>The view of a node as one with weights, or null where it is none, or has a form that integer kernels do not take.</summary>
    public static WeightedNode? Of(Node node) =>
        node.Domain.Length == 0 && Forms.TryGetValue(node.OpType, out var takes) && node.Input(1)?.Constant is { ElementType: ElementType.Float } weights
            && takes(node, weights.Rank)
        && node.Input(0) is { Constant: null, Type: null or { ElementType: ElementType.Float } } && OperatorRegistry.Find(node.Domain, node.OpType) is { } op
            ? WithBias(node, op.Channels(node, 1).First, node.Inputs.Where((_, i) => op.Role(node, i) == InputRole.Bias).FirstOrDefault())
            : null;

    private static WeightedNode? WithBias(Node node, int axis, Value? bias)
    {
        var channels = node.Input(1)!.Constant!.Shape[axis];
        if (bias is null)
            return new(node, node.Input(1)!, axis, null);
        return bias.Constant is { ElementType: ElementType.Float } b && b.Length == channels && (b.Rank == 0 || b.Shape[^1] == channels)
            ? new(node, node.Input(1)!, axis, bias)
            : null;
    }
}
