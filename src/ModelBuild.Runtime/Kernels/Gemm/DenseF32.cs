using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>y[M,N] = clamp(x[M,K] W + bias[N]).</summary>
internal unsafe struct DenseF32Arguments : IKernelArguments<DenseF32Arguments>
{
    public Operand X;
    /// <summary>The weights: <see cref="DenseF32Packing"/>.</summary>
    public Operand W;
    /// <summary>N floats, or left out.</summary>
    public Operand Bias;
    public Operand Y;
    public Size M, K, N;
    /// <summary>Floats from one row to the next.</summary>
    public Size XRow, YRow;
    /// <summary>The activation that follows; infinities for none.</summary>
    public float Minimum, Maximum;

    public static Kernel<DenseF32Arguments> Kernel { get; } = new(KernelIds.DenseF32, "DenseF32",
        new("avx512", Vector512.IsHardwareAccelerated, &DenseF32.Run<DenseF32Avx512>), new("avx2", Fma.IsSupported, &DenseF32.Run<DenseF32Avx2>),
        new("vector128", true, &DenseF32.Run<DenseF32Vector128>));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Input(ref X, nameof(X), ModelElementType.Float);
        visitor.Constant(ref W, nameof(W), Packings.DenseF32);
        visitor.Input(ref Bias, nameof(Bias), ModelElementType.Float);
        visitor.Output(ref Y, nameof(Y), ModelElementType.Float);
        visitor.Size(ref M, nameof(M));
        visitor.Size(ref K, nameof(K));
        visitor.Size(ref N, nameof(N));
        visitor.Size(ref XRow, nameof(XRow));
        visitor.Size(ref YRow, nameof(YRow));
        visitor.Number(ref Minimum, nameof(Minimum));
        visitor.Number(ref Maximum, nameof(Maximum));
    }

    public readonly void Check(KernelCheck check)
    {
        check.Present(X, W, Y);
        check.Sizes(M, K, N, XRow, YRow);
        check.Reaches(X, M == 0 ? 0 : checked((M - 1) * XRow + K));
        check.Bytes(W, checked(DenseF32Packing.Length(K, N) * sizeof(float)));
        check.Reaches(Bias, N);
        check.Reaches(Y, M == 0 ? 0 : checked((M - 1) * YRow + N));
        // Rows of an answer must not overlap: they are written in any order.
        if (M > 1) check.InRange(YRow, N, int.MaxValue);
    }

    public readonly long Tiles => Panels.Count(N) * RowBlocks;

    public readonly long Scratch => 0;

    public readonly double Work => (double)M * K * N;

    /// <summary>Blocks of rows; a tile is one of them against one panel.</summary>
    public readonly long RowBlocks => (M + DenseF32.RowBlock - 1) / DenseF32.RowBlock;
}

/// <summary>One instruction-set path of the float dense layer.</summary>
internal unsafe interface IDenseF32Path
{
    /// <summary>How many of the rows left the next tile takes.</summary>
    static abstract int RowsAt(long left);

    static abstract void Run(DenseF32Tile* tile);
}

/// <summary>The float dense layer: panels, and blocks of rows.</summary>
internal static unsafe class DenseF32
{
    /// <summary>Rows of a tile: a multiple of what any path takes at once, so that cutting changes nothing.</summary>
    public const int RowBlock = 64;

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TPath>(DenseF32Arguments* a, long first, long last, byte* scratch) where TPath : IDenseF32Path
    {
        float* x = a->X, w = a->W, bias = a->Bias, y = a->Y;
        long m = a->M, k = a->K, n = a->N, xRow = a->XRow, yRow = a->YRow, blocks = a->RowBlocks;
        // What sums start from, where the bias is missing or ends within the panel.
        var start = stackalloc float[Panels.Wide];
        // A panel's columns are written whole. Where the last panel has fewer, its rows are written to the side and their part is copied.
        var side = stackalloc float[Panels.Wide * DenseF32Tile.MostRows];
        for (; first < last; first++)
        {
            var (panel, block) = (first / blocks, first % blocks);
            var column = panel * Panels.Wide;
            var width = Panels.WidthAt(column, n);
            var filled = (int)Math.Min(width, n - column);
            if (bias == null || filled < width)
            {
                new Span<float>(start, Panels.Wide).Clear();
                if (bias != null) new ReadOnlySpan<float>(bias + column, filled).CopyTo(new Span<float>(start, width));
            }
            var direct = filled == width;
            DenseF32Tile tile = new()
            {
                W = w + column * k, Start = bias == null || filled < width ? start : bias + column, Y = side, XStride = xRow, YStride = direct ? yRow
                    : Panels.Wide,
                K = k, Width = width, Minimum = a->Minimum, Maximum = a->Maximum,
            };
            var end = Math.Min(m, (block + 1) * RowBlock);
            for (var row = block * RowBlock; row < end; row += tile.Rows)
            {
                tile.X = x + row * xRow;
                tile.Rows = TPath.RowsAt(end - row);
                if (direct) tile.Y = y + row * yRow + column;
                TPath.Run(&tile);
                if (direct) continue;
                for (var r = 0; r < tile.Rows; r++)
                    Unsafe.CopyBlockUnaligned(y + (row + r) * yRow + column, side + r * Panels.Wide, (uint)filled * sizeof(float));
            }
        }
    }
}

/// <summary>One panel of weights against a few rows of x.</summary>
internal unsafe struct DenseF32Tile
{
    /// <summary>Rows that any path takes at once.</summary>
    public const int MostRows = 8;

    /// <summary>First row of x.</summary>
    public float* X;
    /// <summary>The panel: K lines of Width floats.</summary>
    public float* W;
    /// <summary>What the sums start from, Width floats.</summary>
    public float* Start;
    /// <summary>First row of y.</summary>
    public float* Y;
    /// <summary>Floats from one row of x to the next.</summary>
    public long XStride;
    /// <summary>Floats from one row of y to the next.</summary>
    public long YStride;
    public long K;
    public int Width;
    public int Rows;
    public float Minimum;
    public float Maximum;

    /// <summary>The row of x that stands for row <paramref name="row"/> of a tile: the last one again where the tile has fewer rows than the code
    /// computes.</summary>
    public readonly float* Row(int row) => X + Math.Min(row, Rows - 1) * XStride;
}
