using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>
/// Products by a matrix in blocks of 4 bits as MatMulNBits, ONNX Runtime's operator whose kernel reads the integers: an eighth of the memory to go through, and
/// with <c>accuracy_level</c> 4 products of 8-bit integers, rows of the other side being quantized in each call, block by block.
/// </summary>
internal static class BlockProduct
{
    private const string Domain = "com.microsoft";

    // Products of integers with 32-bit sums.
    private const long AccuracyLevel = 4;

    /// <summary>Whether a node is such a product: floats by a constant matrix, and a bias with one value a column at most.</summary>
    public static bool CanBe(Node node) => node.Input(1)?.Constant is { ElementType: ElementType.Float, Rank: 2 } weights && node.Input(0) is { Constant: null }
        && (node.Is("MatMul") || node.Is("Gemm") && node.Int("transA") == 0 && node.Float("alpha", 1) == 1 && node.Float("beta", 1) == 1
            && (node.Input(2) is not { } bias || bias.Constant is { Rank: 1 } added && added.Length == Columns(node, weights)));

    private static long Columns(Node node, Tensor weights) => weights.Shape[node.Is("Gemm") && node.Int("transB") == 1 ? 0 : 1];

    /// <summary>The tensors as the operator wants them: [columns, blocks, bytes of a block], scales as floats, zero points of each column from a byte
    /// on.</summary>
    public static StoredBlocks Stored(int input, BlockWeights blocks, int block)
    {
        var layout = blocks.Layout;
        var perColumn = (layout.Blocks + 1) / 2;
        var zeros = new byte[layout.Channels * perColumn * 2];
        for (var b = 0; b < blocks.Zeros.Length; b++)
            zeros[b / layout.Blocks * perColumn * 2 + b % layout.Blocks] = blocks.Zeros[b];
        return new(input, block, new(AsBytes(blocks.Codes, layout.Channels, layout.Blocks, layout.BlockLength / 2)),
            new(Tensor.Vector(blocks.Scales)), new(AsBytes(zeros, layout.Channels * perColumn)));
    }

    private static Tensor AsBytes(byte[] values, params ReadOnlySpan<long> shape) =>
        new(ElementType.UInt8, [.. shape], RoundedNode.Packed(values, [values.Length]).Bytes);

    /// <summary>Makes a product of a node: in place, so that what it gives is known by its name.</summary>
    public static void Write(Node node, StoredBlocks blocks)
    {
        var (graph, weights, bias) = (node.Graph, node.Inputs[1]!.Constant!, node.Input(2));
        var (columns, depth) = (Columns(node, weights), weights.Length / Columns(node, weights));
        node.Attributes.Clear();
        (node.OpType, node.Domain) = ("MatMulNBits", Domain);
        graph.Model.Opsets.TryAdd(Domain, 1);
        node.SetInput(1, graph.AddInitializer($"w{node.Id}b", blocks.Codes.Value));
        node.SetInput(2, graph.AddInitializer($"w{node.Id}s", blocks.Scales.Value));
        node.SetInput(3, graph.AddInitializer($"w{node.Id}z", blocks.Zeros.Value));
        if (bias is not null)
        {
            node.SetInput(4, null);
            node.SetInput(5, bias);
        }
        node.Attributes["K"] = depth;
        node.Attributes["N"] = columns;
        node.Attributes["bits"] = 4L;
        node.Attributes["block_size"] = (long)blocks.Block;
        node.Attributes["accuracy_level"] = AccuracyLevel;
    }
}
