using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>Which constant inputs of which operators count as weights, and along which axes their scales run.</summary>
internal static class ConstantWeights
{
    /// <summary>Smaller tensors are not worth the nodes that unpack them.</summary>
    private const int MinimumElements = 256;

    // Others that state weights have them in forms that unpacking would not pay for.
    private static readonly HashSet<string> Names = new(StringComparer.Ordinal) { "Conv", "ConvTranspose", "Gemm", "MatMul", "LSTM", "GRU", "RNN", "Gather" };

    /// <summary>The operators that have weights.</summary>
    public static IReadOnlyCollection<string> Operators => Names;

    /// <summary>The weights of a node, as its operator states them: input index, first axis with scales, number of such axes.</summary>
    /// <param name="node">The node.</param>
    /// <param name="withHalves">Whether 16-bit floats count, too.</param>
    public static IEnumerable<(int Index, int Axis, int Axes)> Of(Node node, bool withHalves = false)
    {
        if (node.Domain.Length > 0 || !Names.Contains(node.OpType) || OperatorRegistry.Find(node.Domain, node.OpType) is not { } op)
            yield break;
        for (var i = 0; i < node.Inputs.Count; i++)
            if (op.Channels(node, i) is { Count: > 0 } channels && IsWeight(node, i, withHalves))
                yield return (i, channels.First, channels.Count);
    }

    private static bool IsWeight(Node node, int index, bool withHalves) =>
        node.Input(index) is { Constant: { Length: >= MinimumElements } constant, IsGraphInput: false, IsGraphOutput: false }
            && (constant.ElementType == ElementType.Float || withHalves && constant.ElementType == ElementType.Float16);
}
