using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelBuild.Kernels;

/// <summary>
/// 256-bit tiles of the integer convolution. A vector of weights holds 8 channels of 4 rows; 4 values of x are broadcast to all of its lanes. One pixel: 16
/// channels, two groups of 4 rows in flight. Several: 6 x 16 (or 4 x 16) sums stay in 12 of 16 registers, and are rounded and stored from there. Where pixels
/// do not divide into such tiles, the last tile computes some pixels again.
/// </summary>
internal static unsafe class ConvolutionInt8Avx2<TDot, TSource, TOutput>
    where TDot : struct, IByteDot where TSource : struct, IByteSource where TOutput : struct, IByteOutput
{
    // Widened weights take registers.
    private static bool TakesSix => typeof(TDot) != typeof(WideDot);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run(ConvolutionInt8Tile* t)
    {
        // Two left over beyond sixes are better done as two fours with the six before them.
        long rows = t->Rows, sixes = TakesSix ? rows / 6 : 0, left = rows - 6 * sixes;
        if (left is 1 or 2 && sixes > 0) sixes--;
        for (var column = 0; column < t->Filled; column += 16)
        {
            if (t->Filled - column <= 8 && rows >= 8)
            {
                var eights = rows / 8 * 8;
                EightRows(t, column, 0, eights);
                if (eights < rows) EightRows(t, column, rows - 8, rows);
                continue;
            }
            var row = 6 * sixes;
            if (sixes > 0) SixRows(t, column, 0, row);
            if (left == 5 && sixes > 0)
            {
                SixRows(t, column, rows - 6, rows);
                continue;
            }
            var fours = (rows - row) / 4 * 4;
            if (fours > 0) FourRows(t, column, row, row + fours);
            row += fours;
            if (rows - row >= 2 && rows >= 4)
            {
                FourRows(t, column, rows - 4, rows);
                continue;
            }
            for (; row < rows; row++) OneRow(t, column, row);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRow(ConvolutionInt8Tile* t, int column, long row)
    {
        var line = t->Width * 4;
        var w = (sbyte*)t->W + column * 4;
        var x = t->X[row];
        Vector256<int> a0 = Vector256.Load(t->Start + column), a1 = Vector256.Load(t->Start + column + 8), b0 = default, b1 = default;
        for (long* run = t->Offsets, last = run + t->Runs; run < last; run++)
        {
            nint k = (nint)(*run), end = k + (nint)t->RunLength;
            for (; end - k >= 8; k += 8, w += 2 * line)
            {
                Vector256<byte> v = TSource.Broadcast(x + k);
                a0 = TDot.Add(a0, v, Vector256.Load(w));
                a1 = TDot.Add(a1, v, Vector256.Load(w + 32));
                v = TSource.Broadcast(x + k + 4);
                b0 = TDot.Add(b0, v, Vector256.Load(w + line));
                b1 = TDot.Add(b1, v, Vector256.Load(w + line + 32));
            }
            if (k < end)
            {
                Vector256<byte> v = TSource.Broadcast(x + k);
                a0 = TDot.Add(a0, v, Vector256.Load(w));
                a1 = TDot.Add(a1, v, Vector256.Load(w + 32));
                w += line;
            }
        }
        TOutput.Store(a0 + b0, a1 + b1, t->Multiplier + column, t->Y[row] + t->YOffset + column * TOutput.Size, t->Filled - column, t->Output,
            ByteScale.Load(t->Multiplier + column, t->Output));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourRows(ConvolutionInt8Tile* t, int column, long from, long to)
    {
        nint line = t->Width * 4, length = (nint)t->RunLength, offset = (nint)t->YOffset + column * TOutput.Size;
        var weights = (sbyte*)t->W + column * 4;
        long* first = t->Offsets, last = first + t->Runs;
        long filled = t->Filled - column;
        var multiplier = t->Multiplier + column;
        var output = t->Output;
        ByteScale scale = ByteScale.Load(multiplier, output);
        Vector256<int> s0 = Vector256.Load(t->Start + column), s1 = Vector256.Load(t->Start + column + 8);
        for (; from < to; from += 4)
        {
            byte** x = t->X + from, y = t->Y + from;
            byte* x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
            Vector256<int> p0 = s0, q0 = s1;
            Vector256<int> p1 = s0, q1 = s1;
            Vector256<int> p2 = s0, q2 = s1;
            Vector256<int> p3 = s0, q3 = s1;
            var w = weights;
            for (var run = first; run < last; run++)
            {
                nint k = (nint)(*run), end = k + length;
                for (; k < end; k += 4, w += line)
                {
                    Vector256<sbyte> w0 = Vector256.Load(w), w1 = Vector256.Load(w + 32);
                    Vector256<byte> v;
                    v = TSource.Broadcast(x0 + k);
                    p0 = TDot.Add(p0, v, w0);
                    q0 = TDot.Add(q0, v, w1);
                    v = TSource.Broadcast(x1 + k);
                    p1 = TDot.Add(p1, v, w0);
                    q1 = TDot.Add(q1, v, w1);
                    v = TSource.Broadcast(x2 + k);
                    p2 = TDot.Add(p2, v, w0);
                    q2 = TDot.Add(q2, v, w1);
                    v = TSource.Broadcast(x3 + k);
                    p3 = TDot.Add(p3, v, w0);
                    q3 = TDot.Add(q3, v, w1);
                }
            }
            TOutput.Store(p0, q0, multiplier, y[0] + offset, filled, output, scale);
            TOutput.Store(p1, q1, multiplier, y[1] + offset, filled, output, scale);
            TOutput.Store(p2, q2, multiplier, y[2] + offset, filled, output, scale);
            TOutput.Store(p3, q3, multiplier, y[3] + offset, filled, output, scale);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SixRows(ConvolutionInt8Tile* t, int column, long from, long to)
    {
        nint line = t->Width * 4, length = (nint)t->RunLength, offset = (nint)t->YOffset + column * TOutput.Size;
        var weights = (sbyte*)t->W + column * 4;
        long* first = t->Offsets, last = first + t->Runs;
        long filled = t->Filled - column;
        var multiplier = t->Multiplier + column;
        var output = t->Output;
        ByteScale scale = ByteScale.Load(multiplier, output);
        Vector256<int> s0 = Vector256.Load(t->Start + column), s1 = Vector256.Load(t->Start + column + 8);
        for (; from < to; from += 6)
        {
            byte** x = t->X + from, y = t->Y + from;
            byte* x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3], x4 = x[4], x5 = x[5];
            Vector256<int> p0 = s0, q0 = s1;
            Vector256<int> p1 = s0, q1 = s1;
            Vector256<int> p2 = s0, q2 = s1;
            Vector256<int> p3 = s0, q3 = s1;
            Vector256<int> p4 = s0, q4 = s1;
            Vector256<int> p5 = s0, q5 = s1;
            var w = weights;
            for (var run = first; run < last; run++)
            {
                nint k = (nint)(*run), end = k + length;
                for (; k < end; k += 4, w += line)
                {
                    Vector256<sbyte> w0 = Vector256.Load(w), w1 = Vector256.Load(w + 32);
                    Vector256<byte> v;
                    v = TSource.Broadcast(x0 + k);
                    p0 = TDot.Add(p0, v, w0);
                    q0 = TDot.Add(q0, v, w1);
                    v = TSource.Broadcast(x1 + k);
                    p1 = TDot.Add(p1, v, w0);
                    q1 = TDot.Add(q1, v, w1);
                    v = TSource.Broadcast(x2 + k);
                    p2 = TDot.Add(p2, v, w0);
                    q2 = TDot.Add(q2, v, w1);
                    v = TSource.Broadcast(x3 + k);
                    p3 = TDot.Add(p3, v, w0);
                    q3 = TDot.Add(q3, v, w1);
                    v = TSource.Broadcast(x4 + k);
                    p4 = TDot.Add(p4, v, w0);
                    q4 = TDot.Add(q4, v, w1);
                    v = TSource.Broadcast(x5 + k);
                    p5 = TDot.Add(p5, v, w0);
                    q5 = TDot.Add(q5, v, w1);
                }
            }
            TOutput.Store(p0, q0, multiplier, y[0] + offset, filled, output, scale);
            TOutput.Store(p1, q1, multiplier, y[1] + offset, filled, output, scale);
            TOutput.Store(p2, q2, multiplier, y[2] + offset, filled, output, scale);
            TOutput.Store(p3, q3, multiplier, y[3] + offset, filled, output, scale);
            TOutput.Store(p4, q4, multiplier, y[4] + offset, filled, output, scale);
            TOutput.Store(p5, q5, multiplier, y[5] + offset, filled, output, scale);
        }
    }

    // No more than 8 channels are left: one vector of them, for 8 pixels.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void EightRows(ConvolutionInt8Tile* t, int column, long from, long to)
    {
        nint line = t->Width * 4, length = (nint)t->RunLength, offset = (nint)t->YOffset + column * TOutput.Size;
        var weights = (sbyte*)t->W + column * 4;
        long* first = t->Offsets, last = first + t->Runs;
        long filled = t->Filled - column;
        var multiplier = t->Multiplier + column;
        var output = t->Output;
        ByteScale scale = ByteScale.Load(multiplier, output);
        Vector256<int> start = Vector256.Load(t->Start + column);
        for (; from < to; from += 8)
        {
            byte** x = t->X + from, y = t->Y + from;
            byte* x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3], x4 = x[4], x5 = x[5], x6 = x[6], x7 = x[7];
            Vector256<int> p0 = start, p1 = start, p2 = start, p3 = start, p4 = start, p5 = start, p6 = start, p7 = start;
            var w = weights;
            for (var run = first; run < last; run++)
            {
                nint k = (nint)(*run), end = k + length;
                for (; k < end; k += 4, w += line)
                {
                    Vector256<sbyte> v = Vector256.Load(w);
                    p0 = TDot.Add(p0, TSource.Broadcast(x0 + k), v);
                    p1 = TDot.Add(p1, TSource.Broadcast(x1 + k), v);
                    p2 = TDot.Add(p2, TSource.Broadcast(x2 + k), v);
                    p3 = TDot.Add(p3, TSource.Broadcast(x3 + k), v);
                    p4 = TDot.Add(p4, TSource.Broadcast(x4 + k), v);
                    p5 = TDot.Add(p5, TSource.Broadcast(x5 + k), v);
                    p6 = TDot.Add(p6, TSource.Broadcast(x6 + k), v);
                    p7 = TDot.Add(p7, TSource.Broadcast(x7 + k), v);
                }
            }
            TOutput.Store(p0, default, multiplier, y[0] + offset, filled, output, scale);
            TOutput.Store(p1, default, multiplier, y[1] + offset, filled, output, scale);
            TOutput.Store(p2, default, multiplier, y[2] + offset, filled, output, scale);
            TOutput.Store(p3, default, multiplier, y[3] + offset, filled, output, scale);
            TOutput.Store(p4, default, multiplier, y[4] + offset, filled, output, scale);
            TOutput.Store(p5, default, multiplier, y[5] + offset, filled, output, scale);
            TOutput.Store(p6, default, multiplier, y[6] + offset, filled, output, scale);
            TOutput.Store(p7, default, multiplier, y[7] + offset, filled, output, scale);
        }
    }
}
