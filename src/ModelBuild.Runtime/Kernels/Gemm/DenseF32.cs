using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>The float dense layer: the instruction-set path is chosen here.</summary>
internal static unsafe class DenseF32
{
    public static Kernel Kernel { get; } = new(KernelIds.DenseF32, nameof(DenseF32), 4, 3, 2, Check, &Run);

    private static void Check(KernelCheck a)
    {
        long m = a.Size(0), k = a.Size(1), n = a.Size(2);
        a.Buffer(0, ModelElementType.Float, m, k);
        a.Constant(1, Packings.DenseF32, sizeof(float), k, Panels.PaddedColumns(n));
        if (a.IsPresent(2)) a.Constant(2, Packings.Raw, sizeof(float), n);
        a.Buffer(3, ModelElementType.Float, m, n);
    }

    private static void Run(KernelCall* call) => Run(
        (float*)call->Operands[0], (float*)call->Operands[1], (float*)call->Operands[2], (float*)call->Operands[3],
        call->Integers[0], call->Integers[1], call->Integers[2], call->Floats[0], call->Floats[1]);

    /// <summary>y[m,n] = clamp(x[m,k] W + bias). The bias may be null; it is padded to a whole cache line, as constants are.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(float* x, float* w, float* bias, float* y, long m, long k, long n, float minimum, float maximum)
    {
        var zeros = stackalloc float[Panels.Wide];
        if (bias == null) new Span<float>(zeros, Panels.Wide).Clear();
        // A panel's columns are written whole. Where the last panel has fewer, a single row may run into the padding of its activation; of several, each would
        // run into the next one, so they are written to the side and their part is copied.
        var side = stackalloc float[Panels.Wide * DenseF32Tile.MostRows];
        // One row of a batch starts anywhere; an activation starts at a cache line, and so does each of its panels.
        var padded = ((nint)y & 63) == 0;
        for (long column = 0; column < n; column += Panels.Wide)
        {
            var width = Panels.WidthAt(column, n);
            var direct = n - column >= width || (m == 1 && padded);
            DenseF32Tile tile = new()
            {
                W = w, Start = bias == null ? zeros : bias + column, Y = side, YStride = direct ? n : Panels.Wide,
                K = k, Width = width, Minimum = minimum, Maximum = maximum,
            };
            for (long row = 0; row < m; row += tile.Rows)
            {
                tile.X = x + row * k;
                tile.Rows = RowsAt(m - row);
                if (direct) tile.Y = y + row * n + column;
                Run(&tile);
                if (direct) continue;
                for (var r = 0; r < tile.Rows; r++) Unsafe.CopyBlockUnaligned(y + (row + r) * n + column, side + r * Panels.Wide,
                    (uint)(n - column) * sizeof(float));
            }
            w += k * width;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int RowsAt(long left)
    {
        if (Vector512.IsHardwareAccelerated) return DenseF32Avx512.RowsAt(left);
        return Fma.IsSupported ? DenseF32Avx2.RowsAt(left) : DenseF32Vector128.RowsAt(left);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Run(DenseF32Tile* tile)
    {
        if (Vector512.IsHardwareAccelerated) DenseF32Avx512.Run(tile);
        else if (Fma.IsSupported) DenseF32Avx2.Run(tile);
        else DenseF32Vector128.Run(tile);
    }
}

/// <summary>One panel of weights against a few rows of x.</summary>
internal unsafe struct DenseF32Tile
{
    /// <summary>Rows that any path takes at once.</summary>
    public const int MostRows = 8;

    /// <summary>First row of x; rows follow each other every K floats.</summary>
    public float* X;
    /// <summary>The panel: K lines of Width floats.</summary>
    public float* W;
    /// <summary>What the sums start from, Width floats.</summary>
    public float* Start;
    /// <summary>First row of y.</summary>
    public float* Y;
    /// <summary>Floats from one row of y to the next.</summary>
    public long YStride;
    public long K;
    public int Width;
    public int Rows;
    public float Minimum;
    public float Maximum;

    /// <summary>The row of x that stands for row <paramref name="row"/> of a tile: the last one again where the tile has fewer rows than the code
    /// computes.</summary>
    public readonly float* Row(int row) => X + Math.Min(row, Rows - 1) * K;
}
