namespace ModelBuild.Kernels;

/// <summary>Layouts of constants. The numbers are part of the artifact format: a retired one is never used again.</summary>
internal static class Packings
{
    /// <summary>Values in row-major order, little endian: biases, scales, tensors that kernels read as they are.</summary>
    public const int Raw = 0;

    /// <summary>Float weights in panels: <see cref="DenseF32Packing"/>.</summary>
    public const int DenseF32 = 1;

    /// <summary>Signed 8-bit weights in panels: <see cref="DenseInt8Packing"/>.</summary>
    public const int DenseInt8 = 2;

    /// <summary>The same layout with weights from -64 to 64, so that pairs of products with unsigned 8-bit activations fit into 16 bits (<c>vpmaddubsw</c> does
    /// not saturate).</summary>
    public const int DenseInt7 = 3;

    /// <summary>Weights of depthwise convolutions in blocks of channels: <see cref="DepthwiseF32Packing"/>.</summary>
    public const int DepthwiseF32 = 4;

    /// <summary>Weights of 3x3 convolutions as Winograd's F(4x4,3x3) multiplies them: <see cref="WinogradF32Packing"/>.</summary>
    public const int WinogradF32 = 5;

    /// <summary>Weights of transposed convolutions, phase by phase: <see cref="ConvolutionTransposeF32Packing"/>.</summary>
    public const int ConvolutionTransposeF32 = 6;

    /// <summary>Signed 8-bit weights of depthwise convolutions: <see cref="DepthwiseInt8Packing"/>.</summary>
    public const int DepthwiseInt8 = 7;

    /// <summary>The same layout with weights from -64 to 64.</summary>
    public const int DepthwiseInt7 = 8;

    /// <summary>8-bit weights of 3 x 3 convolutions, transformed: <see cref="WinogradInt8Packing"/>.</summary>
    public const int WinogradInt8 = 9;
}
