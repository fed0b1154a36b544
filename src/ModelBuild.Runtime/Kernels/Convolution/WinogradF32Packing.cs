using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>
/// Transforms and packs the weights of a 3x3 convolution for <see cref="WinogradF32Arguments"/>: each 3x3 kernel g becomes the 6x6 values G g Gᵀ, as Lavin
/// and Gray ("Fast Algorithms for Convolutional Neural Networks", 2015) give them for F(4x4, 3x3); then panel after panel of 32 output channels (the last one
/// 16, where that is enough), within a panel value by value, and within a value input channel by input channel, <c>[panel][36][inputChannels][width]</c>.
/// </summary>
internal static class WinogradF32Packing
{
    /// <summary>Values of a transformed kernel.</summary>
    public const int Points = 36;

    /// <summary>The number of floats that the packed weights take.</summary>
    public static long Length(long outputChannels, long inputChannels) => checked(Points * DenseF32Packing.Length(inputChannels, outputChannels));

    /// <summary>Packs weights [outputChannels, inputChannels, 3, 3], as ONNX has them.</summary>
    /// <exception cref="ArgumentException">The number of weights is another.</exception>
    public static float[] Pack(ReadOnlySpan<float> weights, int outputChannels, int inputChannels)
    {
        var packed = new float[Length(outputChannels, inputChannels)];
        Pack(weights, outputChannels, inputChannels, packed);
        return packed;
    }

    /// <summary>Packs weights [outputChannels, inputChannels, 3, 3] into zeros.</summary>
    /// <exception cref="ArgumentException">The number of weights is another.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pack(ReadOnlySpan<float> weights, int outputChannels, int inputChannels, Span<float> packed)
    {
        if (weights.Length != (long)outputChannels * inputChannels * 9)
            throw new ArgumentException($"{weights.Length} weights were given, {outputChannels} x {inputChannels} x 9 are packed", nameof(weights));
        Span<double> half = stackalloc double[18], transformed = stackalloc double[Points];
        for (var o = 0; o < outputChannels; o++)
        {
            int panel = o / Panels.Wide * Panels.Wide, width = Panels.WidthAt(panel, outputChannels);
            Span<float> target = packed[((int)(Points * DenseF32Packing.Length(inputChannels, panel)) + o - panel)..];
            for (var c = 0; c < inputChannels; c++)
            {
                ReadOnlySpan<float> kernel = weights.Slice((o * inputChannels + c) * 9, 9);
                for (var j = 0; j < 3; j++) Transform(kernel[j], kernel[3 + j], kernel[6 + j], half[j..], 3);
                for (var i = 0; i < 6; i++) Transform(half[i * 3], half[i * 3 + 1], half[i * 3 + 2], transformed[(i * 6)..], 1);
                for (var point = 0; point < Points; point++) target[(point * inputChannels + c) * width] = (float)transformed[point];
            }
        }
    }

    /// <summary>G times a column of three values, each result a step behind the one before. This runs at load: G is written out.</summary>
    private static void Transform(double a, double b, double c, Span<double> to, int step)
    {
        double outer = (a + c) * (1.0 / 6), inner = b * (1.0 / 6), weighted = a * (1.0 / 24) + c * (1.0 / 6), middle = b * (1.0 / 12);
        to[0] = a / 4;
        to[step] = -(outer + inner);
        to[2 * step] = inner - outer;
        to[3 * step] = weighted + middle;
        to[4 * step] = weighted - middle;
        to[5 * step] = c;
    }
}
