namespace ModelBuild.Kernels;

/// <summary>
/// Packs 8-bit weights for <see cref="ConvolutionInt8Arguments"/>: <see cref="DenseInt8Packing"/> of a matrix whose columns are output channels and whose rows
/// are a window's elements in the order of memory, kernel row by kernel row. What is one run of x, a row of the kernel or a pixel of it, is padded with zeros
/// to a multiple of 4 rows.
/// </summary>
internal static class ConvolutionInt8Packing
{
    /// <summary>Packs weights.</summary>
    /// <param name="weights">ONNX's W, [output channels, input channels, kernel rows, kernel columns].</param>
    /// <param name="outputChannels">Of the group.</param>
    /// <param name="inputChannels">Of the group.</param>
    /// <param name="kernelRows">Rows.</param>
    /// <param name="kernelColumns">Columns.</param>
    /// <param name="byPixel">Whether each pixel of the kernel is a run, and not each row.</param>
    public static byte[] Pack(ReadOnlySpan<sbyte> weights, int outputChannels, int inputChannels, int kernelRows, int kernelColumns, bool byPixel)
    {
        int runs = kernelRows * (byPixel ? kernelColumns : 1), length = inputChannels * (byPixel ? 1 : kernelColumns);
        var padded = (int)DenseInt8Packing.PaddedRows(length);
        var matrix = new sbyte[runs * padded * outputChannels];
        for (var run = 0; run < runs; run++)
            for (var i = 0; i < length; i++)
            {
                var pixel = byPixel ? run : run * kernelColumns + i / inputChannels;
                for (var n = 0; n < outputChannels; n++)
                    matrix[(run * padded + i) * outputChannels + n] = weights[(n * inputChannels + i % inputChannels) * kernelRows * kernelColumns + pixel];
            }
        return DenseInt8Packing.Pack(matrix, runs * padded, outputChannels);
    }
}
