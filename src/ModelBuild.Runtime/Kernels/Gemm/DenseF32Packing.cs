namespace ModelBuild.Kernels;

/// <summary>
/// Packs float weights for <see cref="KernelIds.DenseF32"/>: panel after panel of 32 columns (the last one 16, where that is enough), within a panel row by
/// row,
/// <c>[panel][K][width]</c>; columns beyond N are zeros. Every instruction-set path reads this layout.
/// </summary>
internal static class DenseF32Packing
{
    /// <summary>The number of floats that the packed weights take.</summary>
    /// <param name="k">Rows: the length of an input row.</param>
    /// <param name="n">Columns: the length of an output row.</param>
    public static long Length(long k, long n) => checked(k * Panels.PaddedColumns(n));

    /// <summary>Packs weights.</summary>
    /// <param name="weights">The weights in row-major order.</param>
    /// <param name="k">The length of an input row.</param>
    /// <param name="n">The length of an output row.</param>
    /// <param name="transposed">False: the weights are [K,N], as of MatMul. True: they are [N,K], as of Gemm with transB.</param>
    /// <exception cref="ArgumentException">There are more or fewer than K * N weights.</exception>
    public static float[] Pack(ReadOnlySpan<float> weights, int k, int n, bool transposed = false)
    {
        if (weights.Length != (long)k * n) throw new ArgumentException($"{weights.Length} weights were given, {k} x {n} are packed", nameof(weights));
        var packed = new float[Length(k, n)];
        Pack(weights, k, n, transposed, packed);
        return packed;
    }

    internal static void Pack(ReadOnlySpan<float> weights, int k, int n, bool transposed, Span<float> packed)
    {
        var next = 0;
        for (var column = 0; column < n; column += Panels.Wide)
        {
            int width = Panels.WidthAt(column, n), filled = Math.Min(width, n - column);
            for (var row = 0; row < k; row++, next += width)
            {
                Span<float> line = packed.Slice(next, width);
                if (!transposed) weights.Slice(row * n + column, filled).CopyTo(line);
                else
                    for (var c = 0; c < filled; c++) line[c] = weights[(column + c) * k + row];
                line[filled..].Clear();
            }
        }
    }
}
