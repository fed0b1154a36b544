using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>Which constant inputs of which operators count as weights, and along which axes their scales run.</summary>
internal static class ConstantWeights
{
    /// <summary>Smaller tensors are not worth the nodes that unpack them.</summary>
    private const int MinimumElements = 256;

    /// <summary>The weights of a node: input index, first axis with scales, number of such axes.</summary>
    public static IEnumerable<(int Index, int Axis, int Axes)> Of(Node node)
    {
        if (node.Domain.Length > 0)
            yield break;
        switch (node.OpType)
        {
            case "Conv":
                if (IsWeight(node, 1))
                    yield return (1, 0, 1);
                break;
            case "ConvTranspose":
                if (IsWeight(node, 1))
                    yield return (1, 0, 2);
                break;
            case "Gemm":
                if (IsWeight(node, 1))
                    yield return (1, node.Int("transB") == 1 ? 0 : 1, 1);
                break;
            case "MatMul":
                for (var i = 0; i < 2; i++)
                    if (IsWeight(node, i) && node.Inputs[i]!.Constant!.Rank >= 2)
                        yield return (i, node.Inputs[i]!.Constant!.Rank - (i == 1 ? 1 : 2), 1);
                break;
            case "LSTM" or "GRU" or "RNN":
                for (var i = 1; i < 3; i++)
                    if (IsWeight(node, i))
                        yield return (i, 0, 2);
                break;
            case "Gather":
                // Rows of an embedding.
                if (IsWeight(node, 0) && node.Int("axis") == 0 && node.Inputs[0]!.Constant!.Rank == 2)
                    yield return (0, 0, 1);
                break;
        }
    }

    private static bool IsWeight(Node node, int index) =>
        node.Input(index) is { Constant: { ElementType: ElementType.Float, Length: >= MinimumElements } } value && !value.IsGraphInput && !value.IsGraphOutput;
}
