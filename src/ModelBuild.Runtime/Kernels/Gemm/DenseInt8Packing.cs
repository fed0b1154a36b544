using System.Runtime.InteropServices;

namespace ModelBuild.Kernels;

/// <summary>
/// Packs signed 8-bit weights for the integer dense kernels: first the sum of each column as int32 (padded to 16 columns), with which kernels take off the
/// input's zero point; then panel after panel of 32 columns (the last one 16, where that is enough), within a panel <c>[K/4][width][4]</c>: four weights of a
/// column side by side, as dot-product instructions take them. K is padded to 4 and columns beyond N are zeros.
/// </summary>
internal static class DenseInt8Packing
{
    /// <summary>The number of bytes that the packed weights take.</summary>
    /// <param name="k">Rows: the length of an input row.</param>
    /// <param name="n">Columns: the length of an output row.</param>
    public static long Length(long k, long n) => checked(Panels.PaddedColumns(n) * (sizeof(int) + PaddedRows(k)));

    /// <summary>Packs weights.</summary>
    /// <param name="weights">The weights in row-major order.</param>
    /// <param name="k">The length of an input row.</param>
    /// <param name="n">The length of an output row.</param>
    /// <param name="transposed">False: the weights are [K,N], as of MatMul. True: they are [N,K], as of Gemm with transB.</param>
    /// <exception cref="ArgumentException">There are more or fewer than K * N weights.</exception>
    public static byte[] Pack(ReadOnlySpan<sbyte> weights, int k, int n, bool transposed = false)
    {
        if (weights.Length != (long)k * n) throw new ArgumentException($"{weights.Length} weights were given, {k} x {n} are packed", nameof(weights));
        var packed = new byte[Length(k, n)];
        int columns = (int)Panels.PaddedColumns(n), rows = (int)PaddedRows(k);
        Span<int> sums = MemoryMarshal.Cast<byte, int>(packed.AsSpan(0, columns * sizeof(int)));
        var next = columns * sizeof(int);
        for (var column = 0; column < n; column += Panels.Wide)
        {
            var width = Panels.WidthAt(column, n);
            for (var row = 0; row < rows; row += 4)
                for (var c = column; c < column + width; c++)
                    for (var r = row; r < row + 4; r++, next++)
                    {
                        if (c >= n || r >= k) continue;
                        var value = weights[transposed ? c * k + r : r * n + c];
                        packed[next] = (byte)value;
                        sums[c] += value;
                    }
        }
        return packed;
    }

    /// <summary>The packing that weights may have: <see cref="Packings.DenseInt7"/> if all are within -64 to 64.</summary>
    public static int PackingFor(ReadOnlySpan<sbyte> weights) => weights.ContainsAnyExceptInRange((sbyte)-64, (sbyte)64) ? Packings.DenseInt8
        : Packings.DenseInt7;

    internal static long PaddedRows(long k) => (k + 3) / 4 * 4;
}
