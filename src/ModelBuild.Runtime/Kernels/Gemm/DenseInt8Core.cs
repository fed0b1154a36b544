using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>What an integer dense kernel computes. Exactly one of Y and FloatY is set.</summary>
internal unsafe struct DenseInt8Arguments
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
    public int Width;
    public int Rows;
    public bool Signed;

    /// <summary>The row of x that stands for row <paramref name="row"/> of a tile: the last one again where the tile has fewer rows than the code
    /// computes.</summary>
    public readonly byte* Row(int row) => X + Math.Min(row, Rows - 1) * K;
}

/// <summary>The integer dense layer: exact int32 sums on every path, which is chosen here.</summary>
internal static unsafe class DenseInt8Core
{
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(DenseInt8Arguments* a)
    {
        var sums = stackalloc int[Panels.Wide * DenseInt8Tile.MostRows];
        var start = stackalloc int[Panels.Wide];
        var multiplier = stackalloc float[Panels.Wide];
        var columnSums = (int*)a->W;
        var w = a->W + Panels.PaddedColumns(a->N) * sizeof(int);
        for (long column = 0; column < a->N; column += Panels.Wide)
        {
            var width = Panels.WidthAt(column, a->N);
            var filled = (int)Math.Min(width, a->N - column);
            // (x - zero) W = x W - zero * (column sum of W). Constants are padded, so whole panels may be read.
            for (var c = 0; c < width; c += 8)
            {
                Vector256<int> first = a->Bias == null ? default : Vector256.Load(a->Bias + column + c);
                (first - Vector256.Load(columnSums + column + c) * a->XZero).Store(start + c);
                (Vector256.Load(a->Multiplier + column + c) * a->Factor).Store(multiplier + c);
            }
            for (long row = 0; row < a->M;)
            {
                var rows = Avx2.IsSupported ? DenseInt8Avx2<VnniDot, UnsignedSource>.RowsAt(a->M - row) : 1;
                DenseInt8Tile tile = new() { X = a->X + row * a->K, W = w, Start = start, Sums = sums, K = a->K, Width = width, Rows = rows,
                    Signed = a->Signed };
                if (a->Signed) Run<SignedSource>(&tile, a->Narrow);
                else Run<UnsignedSource>(&tile, a->Narrow);
                for (var r = 0; r < rows; r++)
                {
                    if (a->Y != null) Requantize(sums + r * Panels.Wide, multiplier, a->Y + (row + r) * a->N + column, filled, a);
                    else Dequantize(sums + r * Panels.Wide, multiplier, a->FloatBias == null ? null : a->FloatBias + column,
                        a->FloatY + (row + r) * a->N + column, filled, a);
                }
                row += rows;
            }
            w += DenseInt8Packing.PaddedRows(a->K) * width;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Run<TSource>(DenseInt8Tile* tile, bool narrow) where TSource : struct, IByteSource
    {
        if (AvxVnni.IsSupported) DenseInt8Avx2<VnniDot, TSource>.Run(tile);
        else if (Avx512BW.IsSupported && Vector512.IsHardwareAccelerated && narrow) DenseInt8Avx512<NarrowDot, TSource>.Run(tile);
        else if (Avx512BW.IsSupported && Vector512.IsHardwareAccelerated) DenseInt8Avx512<WideDot, TSource>.Run(tile);
        else if (Avx2.IsSupported && narrow) DenseInt8Avx2<NarrowDot, TSource>.Run(tile);
        else if (Avx2.IsSupported) DenseInt8Avx2<WideDot, TSource>.Run(tile);
        else DenseInt8Vector128.Run(tile);
    }

    // y = saturate(round half even(sum * multiplier) + zero), 16 columns at a time; a row's last columns go through a vector on the side.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Requantize(int* sums, float* multiplier, byte* y, int columns, DenseInt8Arguments* a)
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
    private static void Dequantize(int* sums, float* multiplier, float* bias, float* y, int columns, DenseInt8Arguments* a)
    {
        Vector256<float> low = Vector256.Create(a->Minimum), high = Vector256.Create(a->Maximum);
        for (var c = 0; c < columns; c += 8)
        {
            Vector256<float> v = Vector256.ConvertToSingle(Vector256.Load(sums + c)) * Vector256.Load(multiplier + c);
            if (bias != null) v += Vector256.Load(bias + c);
            v = Vector256.Min(Vector256.Max(v, low), high);
            if (columns - c >= 8) v.Store(y + c);
            else
                for (var i = c; i < columns; i++) y[i] = v.GetElement(i - c);
        }
    }
}
