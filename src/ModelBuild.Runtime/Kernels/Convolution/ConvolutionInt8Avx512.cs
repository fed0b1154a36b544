using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelBuild.Kernels;

/// <summary>
/// 512-bit tiles of the integer convolution, for CPUs with AVX-512 but without AVX-VNNI (.NET has no 512-bit dot product of bytes). A vector of weights holds
/// 16 channels of 4 rows. Several pixels: 6 x 32 sums stay in 12 of 32 registers, which leaves room for widened weights; narrow panels, and single pixels, go
/// one by one, 16 channels at a time.
/// </summary>
internal static unsafe class ConvolutionInt8Avx512<TDot, TSource, TOutput>
    where TDot : struct, IByteDot512 where TSource : struct, IByteSource where TOutput : struct, IByteOutput
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(ConvolutionInt8Tile* t)
    {
        if (t->Width == Panels.Wide && t->Rows > 1)
        {
            for (long row = 0; row < t->Rows; row += 6) SixRows(t, Math.Max(Math.Min(row, t->Rows - 6), 0));
            return;
        }
        for (long row = 0; row < t->Rows; row++)
            for (var column = 0; column < t->Filled; column += 16) OneRow(t, row, column);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(ConvolutionInt8Tile* t, long row, int column, Vector512<int> sums)
    {
        if (row < t->Rows && column < t->Filled)
        {
            TOutput.Store(sums, t->Multiplier + column, t->Y[row] + t->YOffset + column * TOutput.Size, t->Filled - column, t->Output,
                ByteScale.Load(t->Multiplier + column, t->Output));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRow(ConvolutionInt8Tile* t, long row, int column)
    {
        var line = t->Width * 4;
        var w = (sbyte*)t->W + column * 4;
        var x = t->X[row];
        Vector512<int> a = Vector512.Load(t->Start + column), b = default;
        for (long* run = t->Offsets, last = run + t->Runs; run < last; run++)
        {
            nint k = (nint)(*run), end = k + (nint)t->RunLength;
            for (; end - k >= 8; k += 8, w += 2 * line)
            {
                a = TDot.Add(a, TSource.Broadcast512(x + k), Vector512.Load(w));
                b = TDot.Add(b, TSource.Broadcast512(x + k + 4), Vector512.Load(w + line));
            }
            if (k < end)
            {
                a = TDot.Add(a, TSource.Broadcast512(x + k), Vector512.Load(w));
                w += line;
            }
        }
        Store(t, row, column, a + b);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SixRows(ConvolutionInt8Tile* t, long row)
    {
        var w = (sbyte*)t->W;
        var last = t->Rows - 1;
        byte* x0 = t->X[row], x1 = t->X[Math.Min(row + 1, last)], x2 = t->X[Math.Min(row + 2, last)], x3 = t->X[Math.Min(row + 3, last)];
        byte* x4 = t->X[Math.Min(row + 4, last)], x5 = t->X[Math.Min(row + 5, last)];
        Vector512<int> s0 = Vector512.Load(t->Start), s1 = Vector512.Load(t->Start + 16);
        Vector512<int> p0 = s0, q0 = s1;
        Vector512<int> p1 = s0, q1 = s1;
        Vector512<int> p2 = s0, q2 = s1;
        Vector512<int> p3 = s0, q3 = s1;
        Vector512<int> p4 = s0, q4 = s1;
        Vector512<int> p5 = s0, q5 = s1;
        for (long* run = t->Offsets, end = run + t->Runs; run < end; run++)
        {
            nint k = (nint)(*run), stop = k + (nint)t->RunLength;
            for (; k < stop; k += 4, w += 128)
            {
                Vector512<sbyte> w0 = Vector512.Load(w), w1 = Vector512.Load(w + 64);
                Vector512<byte> v;
                v = TSource.Broadcast512(x0 + k);
                p0 = TDot.Add(p0, v, w0);
                q0 = TDot.Add(q0, v, w1);
                v = TSource.Broadcast512(x1 + k);
                p1 = TDot.Add(p1, v, w0);
                q1 = TDot.Add(q1, v, w1);
                v = TSource.Broadcast512(x2 + k);
                p2 = TDot.Add(p2, v, w0);
                q2 = TDot.Add(q2, v, w1);
                v = TSource.Broadcast512(x3 + k);
                p3 = TDot.Add(p3, v, w0);
                q3 = TDot.Add(q3, v, w1);
                v = TSource.Broadcast512(x4 + k);
                p4 = TDot.Add(p4, v, w0);
                q4 = TDot.Add(q4, v, w1);
                v = TSource.Broadcast512(x5 + k);
                p5 = TDot.Add(p5, v, w0);
                q5 = TDot.Add(q5, v, w1);
            }
        }
        Store(t, row + 0, 0, p0);
        Store(t, row + 0, 16, q0);
        Store(t, row + 1, 0, p1);
        Store(t, row + 1, 16, q1);
        Store(t, row + 2, 0, p2);
        Store(t, row + 2, 16, q2);
        Store(t, row + 3, 0, p3);
        Store(t, row + 3, 16, q3);
        Store(t, row + 4, 0, p4);
        Store(t, row + 4, 16, q4);
        Store(t, row + 5, 0, p5);
        Store(t, row + 5, 16, q5);
    }
}
