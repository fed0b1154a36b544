using System.Runtime.InteropServices;

namespace ModelBuild.Kernels;

/// <summary>
/// Packs 8-bit weights for <see cref="DepthwiseInt8Arguments"/>. Channels are cut into blocks of <see cref="Block"/>, the last one padded with zeros. First
/// the sum of each channel's weights as int32, then block after block <c>[kernel columns][groups of 4 kernel rows][32 channels][4]</c>: four weights of a
/// column of the kernel side by side, as dot-product instructions take them. Rows beyond the kernel are zeros. A kernel of one row is packed as one of one
/// column.
/// </summary>
internal static class DepthwiseInt8Packing
{
    /// <summary>Channels of a block.</summary>
    public const int Block = 32;

    /// <summary>The number of bytes that the packed weights take.</summary>
    public static long Length(long channels, long kernelRows, long kernelColumns)
    {
        if (kernelRows == 1) (kernelRows, kernelColumns) = (kernelColumns, kernelRows);
        return checked(PaddedChannels(channels) * (sizeof(int) + kernelColumns * Groups(kernelRows) * 4));
    }

    /// <summary>Packs weights.</summary>
    /// <param name="weights">ONNX's W, [channels, 1, kernel rows, kernel columns].</param>
    /// <param name="channels">Channels.</param>
    /// <param name="kernelRows">Rows.</param>
    /// <param name="kernelColumns">Columns.</param>
    public static byte[] Pack(ReadOnlySpan<sbyte> weights, int channels, int kernelRows, int kernelColumns)
    {
        if (weights.Length != (long)channels * kernelRows * kernelColumns)
            throw new ArgumentException($"{weights.Length} weights were given, {channels} x {kernelRows} x {kernelColumns} are packed", nameof(weights));
        var packed = new byte[Length(channels, kernelRows, kernelColumns)];
        // A row and a column of weights have the same order.
        if (kernelRows == 1) (kernelRows, kernelColumns) = (kernelColumns, kernelRows);
        int padded = (int)PaddedChannels(channels), groups = (int)Groups(kernelRows), next = padded * sizeof(int);
        Span<int> sums = MemoryMarshal.Cast<byte, int>(packed.AsSpan(0, next));
        for (var block = 0; block < padded; block += Block)
            for (var column = 0; column < kernelColumns; column++)
                for (var group = 0; group < groups; group++)
                    for (var i = 0; i < Block; i++)
                        for (var row = 4 * group; row < 4 * group + 4; row++, next++)
                        {
                            var channel = block + i;
                            if (channel >= channels || row >= kernelRows) continue;
                            var value = weights[(channel * kernelRows + row) * kernelColumns + column];
                            packed[next] = (byte)value;
                            sums[channel] += value;
                        }
        return packed;
    }

    internal static long PaddedChannels(long channels) => (channels + Block - 1) / Block * Block;

    internal static long Groups(long kernelRows) => (kernelRows + 3) / 4;
}
