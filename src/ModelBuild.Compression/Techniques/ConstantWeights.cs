using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>Which constant inputs of which operators count as weights, and along which axes their scales run.</summary>
internal static class ConstantWeights
{
    /// <summary>Smaller tensors are not worth the nodes that unpack them.</summary>
    private const int MinimumElements = 256;

    private static readonly Dictionary<string, Func<Node, IEnumerable<(int Index, int Axis, int Axes)>>> Candidates = new(StringComparer.Ordinal)
    {
        ["Conv"] = static _ => [(1, 0, 1)],
        ["ConvTranspose"] = static _ => [(1, 0, 2)],
        ["Gemm"] = static n => [(1, n.Int("transB") == 1 ? 0 : 1, 1)],
        ["MatMul"] = static n => Enumerable.Range(0, 2).Where(i => n.Input(i)?.Constant is { Rank: >= 2 }).Select(i => (i, n.Inputs[i]!.Constant!.Rank - (i == 1 ? 1 : 2), 1)),
        ["LSTM"] = Recurrent,
        ["GRU"] = Recurrent,
        ["RNN"] = Recurrent,
        // Rows of an embedding.
        ["Gather"] = static n => n.Int("axis") == 0 && n.Input(0)?.Constant is { Rank: 2 } ? [(0, 0, 1)] : [],
    };

    /// <summary>The operators that have weights.</summary>
    public static IReadOnlyCollection<string> Operators => Candidates.Keys;

    /// <summary>The weights of a node: input index, first axis with scales, number of such axes.</summary>
    public static IEnumerable<(int Index, int Axis, int Axes)> Of(Node node) =>
        node.Domain.Length == 0 && Candidates.TryGetValue(node.OpType, out var candidates) ? candidates(node).Where(c => IsWeight(node, c.Index)) : [];

    private static IEnumerable<(int Index, int Axis, int Axes)> Recurrent(Node node) => [(1, 0, 2), (2, 0, 2)];

    private static bool IsWeight(Node node, int index) =>
        node.Input(index) is { Constant: { ElementType: ElementType.Float, Length: >= MinimumElements } } value && !value.IsGraphInput && !value.IsGraphOutput;
}
