using ModelBuild.Onnx;

namespace ModelBuild.Compression.Planning;

/// <summary>What in a model was quantized before it came here.</summary>
public static class QuantizedParts
{
    /// <summary>How many operators of a model, in bodies too, make, take or multiply quantized numbers.</summary>
    public static int Count(Model model) => model.Nodes.Count(IsQuantized);

    private static bool IsQuantized(Node node) => node.OpType is "QuantizeLinear" or "DequantizeLinear" or "DynamicQuantizeLinear" or "MatMulInteger"
        or "ConvInteger"
        || node.OpType.StartsWith("QLinear", StringComparison.Ordinal)
        || node.Domain == "com.microsoft"
            && (node.OpType.StartsWith("DynamicQuantize", StringComparison.Ordinal) || node.OpType.StartsWith("MatMulInteger", StringComparison.Ordinal)
            || node.OpType is "QGemm" or "QAttention" or "QEmbedLayerNormalization" or "MatMulNBits" or "MatMulBnb4" or "GatherBlockQuantized");
}
