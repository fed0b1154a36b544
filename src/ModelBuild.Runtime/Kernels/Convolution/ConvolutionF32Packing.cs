namespace ModelBuild.Kernels;

/// <summary>
/// Packs the weights of a float convolution: group after group as <see cref="DenseF32Packing"/> packs a matrix whose rows are the taps of the kernel, row by
/// row, and within a tap the input channels, and whose columns are the output channels of the group.
/// </summary>
internal static class ConvolutionF32Packing
{
    /// <summary>The number of floats that the packed weights take.</summary>
    public static long Length(long groups, long outputChannels, long inputChannels, long kernelHeight, long kernelWidth) =>
        checked(groups * DenseF32Packing.Length(inputChannels * kernelHeight * kernelWidth, outputChannels));

    /// <summary>Packs weights [groups * outputChannels, inputChannels, kernelHeight, kernelWidth], as ONNX has them. Channels are those of one group.</summary>
    /// <exception cref="ArgumentException">The number of weights is another.</exception>
    public static float[] Pack(ReadOnlySpan<float> weights, int groups, int outputChannels, int inputChannels, int kernelHeight, int kernelWidth)
    {
        int taps = kernelHeight * kernelWidth, k = inputChannels * taps;
        if (weights.Length != (long)groups * outputChannels * k)
            throw new ArgumentException($"{weights.Length} weights were given, {groups * outputChannels} x {k} are packed", nameof(weights));
        var packed = new float[Length(groups, outputChannels, inputChannels, kernelHeight, kernelWidth)];
        var matrix = new float[outputChannels * k];
        var length = (int)DenseF32Packing.Length(k, outputChannels);
        for (var group = 0; group < groups; group++)
        {
            ReadOnlySpan<float> source = weights.Slice(group * matrix.Length, matrix.Length);
            for (var o = 0; o < outputChannels; o++)
                for (var c = 0; c < inputChannels; c++)
                    for (var tap = 0; tap < taps; tap++) matrix[o * k + tap * inputChannels + c] = source[(o * inputChannels + c) * taps + tap];
            DenseF32Packing.Pack(matrix, k, outputChannels, transposed: true, packed.AsSpan(group * length, length));
        }
        return packed;
    }
}
