namespace ModelBuild.Kernels;

/// <summary>
/// Packs the weights of a depthwise convolution: 16 output channels after 16, within them tap by tap, <c>[block][kernelHeight][kernelWidth][16]</c>; channels
/// beyond the last are zeros.
/// </summary>
internal static class DepthwiseF32Packing
{
    /// <summary>Channels of a block.</summary>
    public const int Block = 16;

    /// <summary>The number of floats that the packed weights take.</summary>
    public static long Length(long channels, long kernelHeight, long kernelWidth) =>
        checked((channels + Block - 1) / Block * Block * kernelHeight * kernelWidth);

    /// <summary>Packs weights [channels, 1, kernelHeight, kernelWidth], as ONNX has them; channels are those of the output.</summary>
    /// <exception cref="ArgumentException">The number of weights is another.</exception>
    public static float[] Pack(ReadOnlySpan<float> weights, int channels, int kernelHeight, int kernelWidth)
    {
        var taps = kernelHeight * kernelWidth;
        if (weights.Length != (long)channels * taps)
            throw new ArgumentException($"{weights.Length} weights were given, {channels} x {taps} are packed", nameof(weights));
        var packed = new float[Length(channels, kernelHeight, kernelWidth)];
        for (var c = 0; c < channels; c++)
            for (var tap = 0; tap < taps; tap++) packed[(c / Block * taps + tap) * Block + c % Block] = weights[c * taps + tap];
        return packed;
    }
}
