using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ModelBuild.Kernels;

/// <summary>
/// Packs 8-bit weights for <see cref="ConvolutionInt8WinogradArguments"/>: first the sum of each output channel's weights as int32 (padded to 16 channels);
/// then weights transformed by F(2 x 2, 3 x 3), four times, as int16, panel after panel of 32 channels (the last one 16, where that is enough), within a panel
/// <c>[16 places][input channels / 2][width][2]</c>.
/// </summary>
internal static class WinogradInt8Packing
{
    /// <summary>The number of bytes that the packed weights take.</summary>
    public static long Length(long inputChannels, long outputChannels) =>
        checked(Panels.PaddedColumns(outputChannels) * (sizeof(int) + WinogradInt8.Places * Pairs(inputChannels) * 2 * sizeof(short)));

    /// <summary>Packs weights.</summary>
    /// <param name="weights">ONNX's W, [output channels, input channels, 3, 3].</param>
    /// <param name="outputChannels">Output channels.</param>
    /// <param name="inputChannels">Input channels.</param>
    public static byte[] Pack(ReadOnlySpan<sbyte> weights, int outputChannels, int inputChannels)
    {
        var packed = new byte[Length(inputChannels, outputChannels)];
        Pack(weights, outputChannels, inputChannels, packed);
        return packed;
    }

    /// <summary>Packs weights into zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pack(ReadOnlySpan<sbyte> weights, int outputChannels, int inputChannels, Span<byte> packed)
    {
        if (weights.Length != 9L * outputChannels * inputChannels)
            throw new ArgumentException($"{weights.Length} weights were given, {outputChannels} x {inputChannels} x 9 are packed", nameof(weights));
        var header = (int)Panels.PaddedColumns(outputChannels) * sizeof(int);
        Span<int> sums = MemoryMarshal.Cast<byte, int>(packed[..header]);
        Span<short> values = MemoryMarshal.Cast<byte, short>(packed[header..]);
        var pairs = (int)Pairs(inputChannels);
        Span<int> transformed = stackalloc int[WinogradInt8.Places];
        for (var n = 0; n < outputChannels; n++)
        {
            var panel = n / Panels.Wide * Panels.Wide;
            var width = Panels.WidthAt(panel, outputChannels);
            Span<short> to = values[(panel * WinogradInt8.Places * pairs * 2)..];
            for (var c = 0; c < inputChannels; c++)
            {
                ReadOnlySpan<sbyte> w = weights.Slice((n * inputChannels + c) * 9, 9);
                foreach (var value in w) sums[n] += value;
                Transform(w, transformed);
                for (var place = 0; place < WinogradInt8.Places; place++)
                    to[((place * pairs + c / 2) * width + n - panel) * 2 + c % 2] = (short)transformed[place];
            }
        }
    }

    // Rows 2 w0, w0 + w1 + w2, w0 - w1 + w2, 2 w2, then columns likewise.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transform(ReadOnlySpan<sbyte> w, Span<int> transformed)
    {
        Span<int> rows = stackalloc int[12];
        for (var i = 0; i < 3; i++)
        {
            int a = w[i], b = w[3 + i], c = w[6 + i];
            rows[i] = 2 * a;
            rows[3 + i] = a + b + c;
            rows[6 + i] = a - b + c;
            rows[9 + i] = 2 * c;
        }
        for (var i = 0; i < 4; i++)
        {
            int a = rows[3 * i], b = rows[3 * i + 1], c = rows[3 * i + 2];
            transformed[4 * i] = 2 * a;
            transformed[4 * i + 1] = a + b + c;
            transformed[4 * i + 2] = a - b + c;
            transformed[4 * i + 3] = 2 * c;
        }
    }

    private static long Pairs(long inputChannels) => (inputChannels + 1) / 2;
}
