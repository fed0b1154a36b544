using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>What the integer dense kernels have in common. Exactly one of Y and FloatY is set.</summary>
internal unsafe struct DenseInt8Work
{
    public byte* X;
    /// <summary>Packed weights: column sums, then panels.</summary>
    public byte* W;
    /// <summary>Added to the integer sums; may be null.</summary>
    public int* Bias;
    /// <summary>Added after scaling; may be null.</summary>
    public float* FloatBias;
    public float* Multiplier;
    public byte* Y;
    public float* FloatY;
    public long M;
    public long K;
    public long N;
    public long XRow;
    public long YRow;
    /// <summary>Whether all weights are within -64 to 64.</summary>
    public bool Narrow;
    /// <summary>Whether x is int8. Turning the sign bits makes it uint8, plus 128.</summary>
    public bool Signed;
    /// <summary>The zero point of x as uint8: plus 128 if x is int8.</summary>
    public int XZero;
    /// <summary>Multiplies every multiplier: the scale of activations that were quantized as they came.</summary>
    public float Factor;
    public int YZero;
    public int YMinimum;
    public int YMaximum;
    public float Minimum;
    public float Maximum;
}

/// <summary>One instruction-set path of the integer dense kernels; all are exact.</summary>
internal unsafe interface IDenseInt8Path
{
    /// <summary>How many of the rows left the next tile takes.</summary>
    static abstract int RowsAt(long left);

    static abstract void Run(DenseInt8Tile* tile, bool narrow);
}

/// <summary>AVX-VNNI: one instruction for four products, for any weights.</summary>
internal readonly unsafe struct DenseInt8VnniPath : IDenseInt8Path
{
    public static int RowsAt(long left) => DenseInt8Avx2<VnniDot, UnsignedSource>.RowsAt(left);

    public static void Run(DenseInt8Tile* tile, bool narrow)
    {
        if (tile->Signed) DenseInt8Avx2<VnniDot, SignedSource>.Run(tile);
        else DenseInt8Avx2<VnniDot, UnsignedSource>.Run(tile);
    }
}

/// <summary>AVX-512 without dot products of its own: pairs of products in 16 bits for narrow weights, widened ones for others.</summary>
internal readonly unsafe struct DenseInt8Avx512Path : IDenseInt8Path
{
    public static bool IsSupported => Avx512BW.IsSupported && Vector512.IsHardwareAccelerated;

    public static int RowsAt(long left) => DenseInt8Avx2<VnniDot, UnsignedSource>.RowsAt(left);

    public static void Run(DenseInt8Tile* tile, bool narrow)
    {
        if (tile->Signed)
        {
            if (narrow) DenseInt8Avx512<NarrowDot, SignedSource>.Run(tile);
            else DenseInt8Avx512<WideDot, SignedSource>.Run(tile);
        }
        else if (narrow) DenseInt8Avx512<NarrowDot, UnsignedSource>.Run(tile);
        else DenseInt8Avx512<WideDot, UnsignedSource>.Run(tile);
    }
}

/// <summary>AVX2, likewise.</summary>
internal readonly unsafe struct DenseInt8Avx2Path : IDenseInt8Path
{
    public static int RowsAt(long left) => DenseInt8Avx2<NarrowDot, UnsignedSource>.RowsAt(left);

    public static void Run(DenseInt8Tile* tile, bool narrow)
    {
        if (tile->Signed)
        {
            if (narrow) DenseInt8Avx2<NarrowDot, SignedSource>.Run(tile);
            else DenseInt8Avx2<WideDot, SignedSource>.Run(tile);
        }
        else if (narrow) DenseInt8Avx2<NarrowDot, UnsignedSource>.Run(tile);
        else DenseInt8Avx2<WideDot, UnsignedSource>.Run(tile);
    }
}

/// <summary>Any CPU.</summary>
internal readonly unsafe struct DenseInt8Vector128Path : IDenseInt8Path
{
    public static int RowsAt(long left) => 1;

    public static void Run(DenseInt8Tile* tile, bool narrow) => DenseInt8Vector128.Run(tile);
}

/// <summary>A few rows of x against one panel of weights: int32 sums, 32 to a row.</summary>
internal unsafe struct DenseInt8Tile
{
    /// <summary>Rows that any path takes at once.</summary>
    public const int MostRows = 6;
    public byte* X;
    /// <summary>The panel, [K/4][Width][4].</summary>
    public byte* W;
    public int* Start;
    public int* Sums;
    public long K;
    /// <summary>Bytes from one row of x to the next.</summary>
    public long XStride;
    public int Width;
    public int Rows;
    public bool Signed;

    /// <summary>The row of x that stands for row <paramref name="row"/> of a tile: the last one again where the tile has fewer rows than the code
    /// computes.</summary>
    public readonly byte* Row(int row) => X + Math.Min(row, Rows - 1) * XStride;
}

/// <summary>The integer dense layer: panels, and blocks of rows.</summary>
internal static unsafe class DenseInt8Core
{
    /// <summary>Rows of a tile: a multiple of what any path takes at once.</summary>
    private const int RowBlock = 48;

    /// <summary>Blocks of rows against panels.</summary>
    public static long Tiles(long m, long n) => Panels.Count(n) * Blocks(m);

    /// <summary>What all integer dense kernels ask of operands and sizes.</summary>
    public static void Check(KernelCheck check, Operand x, Operand w, Operand y, Size m, Size k, Size n, Size xRow, Size yRow, Size narrow)
    {
        check.Present(x, w, y);
        check.Sizes(m, k, n, xRow, yRow);
        check.InRange(narrow, 0, 1);
        check.Packed(w, narrow == 1 ? Packings.DenseInt7 : Packings.DenseInt8);
        check.Bytes(w, DenseInt8Packing.Length(k, n));
        check.Reaches(x, m == 0 ? 0 : checked((m - 1) * xRow + k));
        check.Reaches(y, m == 0 ? 0 : checked((m - 1) * yRow + n));
        // Rows of an answer must not overlap: they are written in any order.
        if (m > 1) check.InRange(yRow, n, int.MaxValue);
    }

    /// <summary>The type is one of 8 bits, and holds the number.</summary>
    public static void CheckZero(KernelCheck check, ModelElementType type, Size zero)
    {
        if (type is not (ModelElementType.UInt8 or ModelElementType.Int8)) throw check.Damaged($"{type} is no type of 8 bits");
        if (type == ModelElementType.Int8) check.InRange(zero, sbyte.MinValue, sbyte.MaxValue);
        else check.InRange(zero, byte.MinValue, byte.MaxValue);
    }

    private static long Blocks(long m) => (m + RowBlock - 1) / RowBlock;

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TPath>(DenseInt8Work* a, long first, long last) where TPath : IDenseInt8Path
    {
        var sums = stackalloc int[Panels.Wide * DenseInt8Tile.MostRows];
        var start = stackalloc int[Panels.Wide];
        var multiplier = stackalloc float[Panels.Wide];
        var columnSums = (int*)a->W;
        var panels = a->W + Panels.PaddedColumns(a->N) * sizeof(int);
        var blocks = Blocks(a->M);
        for (; first < last; first++)
        {
            var (panel, block) = (first / blocks, first % blocks);
            var column = panel * Panels.Wide;
            var width = Panels.WidthAt(column, a->N);
            var filled = (int)Math.Min(width, a->N - column);
            var w = panels + column * DenseInt8Packing.PaddedRows(a->K);
            // (x - zero) W = x W - zero * (column sum of W). Constants are padded, so whole panels may be read.
            for (var c = 0; c < width; c += 8)
            {
                Vector256<int> bias = a->Bias == null ? default : Vector256.Load(a->Bias + column + c);
                (bias - Vector256.Load(columnSums + column + c) * a->XZero).Store(start + c);
                (Vector256.Load(a->Multiplier + column + c) * a->Factor).Store(multiplier + c);
            }
            var end = Math.Min(a->M, (block + 1) * RowBlock);
            for (var row = block * RowBlock; row < end;)
            {
                var rows = TPath.RowsAt(end - row);
                DenseInt8Tile tile = new() { X = a->X + row * a->XRow, XStride = a->XRow, W = w, Start = start, Sums = sums, K = a->K, Width = width,
                    Rows = rows, Signed = a->Signed };
                TPath.Run(&tile, a->Narrow);
                for (var r = 0; r < rows; r++)
                {
                    if (a->Y != null) Requantize(sums + r * Panels.Wide, multiplier, a->Y + (row + r) * a->YRow + column, filled, a);
                    else Dequantize(sums + r * Panels.Wide, multiplier, a->FloatBias == null ? null : a->FloatBias + column,
                        a->FloatY + (row + r) * a->YRow + column, filled, a);
                }
                row += rows;
            }
        }
    }

    // y = saturate(round half even(sum * multiplier) + zero), 16 columns at a time; a row's last columns go through a vector on the side.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Requantize(int* sums, float* multiplier, byte* y, int columns, DenseInt8Work* a)
    {
        Vector256<float> low = Vector256.Create((float)(a->YMinimum - a->YZero)), high = Vector256.Create((float)(a->YMaximum - a->YZero));
        Vector256<int> zero = Vector256.Create(a->YZero);
        for (var c = 0; c < columns; c += 16)
        {
            Vector256<int> p = Rounding.ToInt32(Vector256.ConvertToSingle(Vector256.Load(sums + c)) * Vector256.Load(multiplier + c), low, high) + zero;
            Vector256<int> q = Rounding.ToInt32(Vector256.ConvertToSingle(Vector256.Load(sums + c + 8)) * Vector256.Load(multiplier + c + 8), low, high) + zero;
            Vector128<byte> bytes = Rounding.LowBytes(p, q);
            if (columns - c >= 16) bytes.Store(y + c);
            else
                for (var i = c; i < columns; i++) y[i] = bytes.GetElement(i - c);
        }
    }

    // y = clamp(sum * multiplier + bias), 8 columns at a time. Not fused, so that every CPU rounds alike.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Dequantize(int* sums, float* multiplier, float* bias, float* y, int columns, DenseInt8Work* a)
    {
        Vector256<float> low = Vector256.Create(a->Minimum), high = Vector256.Create(a->Maximum);
        for (var c = 0; c < columns; c += 8)
        {
            Vector256<float> v = Vector256.ConvertToSingle(Vector256.Load(sums + c)) * Vector256.Load(multiplier + c);
            // Read to the end of the vector: a constant is padded, and so is what follows an activation.
            if (bias != null) v += Vector256.Load(bias + c);
            v = Vector256.Min(Vector256.Max(v, low), high);
            if (columns - c >= 8) v.Store(y + c);
            else
                for (var i = c; i < columns; i++) y[i] = v.GetElement(i - c);
        }
    }
}
