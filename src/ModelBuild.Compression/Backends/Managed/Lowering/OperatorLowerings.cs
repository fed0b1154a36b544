using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>The operators that are lowered, in the forms that have a kernel. Each family's file gives its own; this table is the only place that knows
/// all.</summary>
internal static class OperatorLowerings
{
    private static readonly Dictionary<string, OperatorLowering> ByName = new(
        [.. DenseLowering.Operators, .. DynamicDenseLowering.Operators, .. QuantizationLowering.Operators, .. UnaryLowering.Operators,
            .. BinaryLowering.Operators, .. MapLowering.Operators, .. SoftmaxLowering.Operators, .. ViewLowering.Operators,
                .. ConvolutionLowering.Operators, .. TransposedConvolutionLowering.Operators,
            .. PoolingLowering.Operators,
            .. ReductionLowering.Operators, .. NormalizationLowering.Operators, .. IndexingLowering.Operators, .. AttentionLowering.Operators,
                .. LossLowering.Operators, .. RecurrentLowering.Operators, .. DynamicRecurrentLowering.Operators, .. ResizeLowering.Operators,
            .. ControlLowering.Operators],
        StringComparer.Ordinal);

    /// <summary>The operators that are lowered, by <see cref="Node.QualifiedOpType"/>.</summary>
    public static IReadOnlyCollection<string> Names => ByName.Keys;

    /// <summary>How a node is lowered; null if it is not.</summary>
    public static OperatorLowering? Find(Node node) => ByName.GetValueOrDefault(node.QualifiedOpType);
}
