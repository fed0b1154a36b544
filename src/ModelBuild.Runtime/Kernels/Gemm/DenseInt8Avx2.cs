using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelBuild.Kernels;

/// <summary>
/// 256-bit tiles of the integer dense layer. A vector of weights holds 8 columns of 4 rows; 4 values of x are broadcast to all of its lanes. One row: 32 (or
/// 16) columns, two groups of 4 rows in flight. Several rows: 6 x 16 (or 4 x 16) sums stay in 12 of 16 registers. Groups beyond K are zeros in the weights, so
/// what x holds there counts for nothing.
/// </summary>
internal static unsafe class DenseInt8Avx2<TDot, TSource> where TDot : struct, IByteDot where TSource : struct, IByteSource
{
    /// <summary>How many of the rows left the next tile takes: no tile is mostly empty, and two rows are done one by one.</summary>
    public static int RowsAt(long left) => left switch { 1 or 2 => 1, 3 or 4 => (int)left, 7 or 8 => 4, _ => (int)Math.Min(left, 6) };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(DenseInt8Tile* t)
    {
        if (t->Rows == 1)
        {
            if (t->Width == Panels.Wide) OneRow(t);
            else OneRowNarrow(t);
            return;
        }
        for (var column = 0; column < t->Width; column += 16)
        {
            if (t->Rows <= 4) FourRows(t, column);
            else SixRows(t, column);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRow(DenseInt8Tile* t)
    {
        byte* x = t->X, end = x + (t->K + 3) / 4 * 4;
        var w = (sbyte*)t->W;
        Vector256<int> a0 = Vector256.Load(t->Start), a1 = Vector256.Load(t->Start + 8), a2 = Vector256.Load(t->Start + 16), a3 = Vector256.Load(t->Start + 24);
        Vector256<int> b0 = default, b1 = default, b2 = default, b3 = default;
        for (; end - x >= 8; x += 8, w += 256)
        {
            Vector256<byte> v = TSource.Broadcast(x);
            a0 = TDot.Add(a0, v, Vector256.Load(w));
            a1 = TDot.Add(a1, v, Vector256.Load(w + 32));
            a2 = TDot.Add(a2, v, Vector256.Load(w + 64));
            a3 = TDot.Add(a3, v, Vector256.Load(w + 96));
            v = TSource.Broadcast(x + 4);
            b0 = TDot.Add(b0, v, Vector256.Load(w + 128));
            b1 = TDot.Add(b1, v, Vector256.Load(w + 160));
            b2 = TDot.Add(b2, v, Vector256.Load(w + 192));
            b3 = TDot.Add(b3, v, Vector256.Load(w + 224));
        }
        if (x < end)
        {
            Vector256<byte> v = TSource.Broadcast(x);
            a0 = TDot.Add(a0, v, Vector256.Load(w));
            a1 = TDot.Add(a1, v, Vector256.Load(w + 32));
            a2 = TDot.Add(a2, v, Vector256.Load(w + 64));
            a3 = TDot.Add(a3, v, Vector256.Load(w + 96));
        }
        (a0 + b0).Store(t->Sums);
        (a1 + b1).Store(t->Sums + 8);
        (a2 + b2).Store(t->Sums + 16);
        (a3 + b3).Store(t->Sums + 24);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRowNarrow(DenseInt8Tile* t)
    {
        byte* x = t->X, end = x + (t->K + 3) / 4 * 4;
        var w = (sbyte*)t->W;
        Vector256<int> a0 = Vector256.Load(t->Start), a1 = Vector256.Load(t->Start + 8), b0 = default, b1 = default;
        for (; end - x >= 8; x += 8, w += 128)
        {
            Vector256<byte> v = TSource.Broadcast(x);
            a0 = TDot.Add(a0, v, Vector256.Load(w));
            a1 = TDot.Add(a1, v, Vector256.Load(w + 32));
            v = TSource.Broadcast(x + 4);
            b0 = TDot.Add(b0, v, Vector256.Load(w + 64));
            b1 = TDot.Add(b1, v, Vector256.Load(w + 96));
        }
        if (x < end)
        {
            Vector256<byte> v = TSource.Broadcast(x);
            a0 = TDot.Add(a0, v, Vector256.Load(w));
            a1 = TDot.Add(a1, v, Vector256.Load(w + 32));
        }
        (a0 + b0).Store(t->Sums);
        (a1 + b1).Store(t->Sums + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourRows(DenseInt8Tile* t, int column)
    {
        var line = t->Width * 4;
        sbyte* w = (sbyte*)t->W + column * 4, end = w + (t->K + 3) / 4 * line;
        byte* x0 = t->Row(0), x1 = t->Row(1), x2 = t->Row(2), x3 = t->Row(3);
        Vector256<int> s0 = Vector256.Load(t->Start + column), s1 = Vector256.Load(t->Start + column + 8);
        Vector256<int> p0 = s0, q0 = s1;
        Vector256<int> p1 = s0, q1 = s1;
        Vector256<int> p2 = s0, q2 = s1;
        Vector256<int> p3 = s0, q3 = s1;
        for (nint k = 0; w < end; w += line, k += 4)
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
        var sums = t->Sums + column;
        p0.Store(sums + 0);
        q0.Store(sums + 8);
        p1.Store(sums + 32);
        q1.Store(sums + 40);
        p2.Store(sums + 64);
        q2.Store(sums + 72);
        p3.Store(sums + 96);
        q3.Store(sums + 104);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SixRows(DenseInt8Tile* t, int column)
    {
        var line = t->Width * 4;
        sbyte* w = (sbyte*)t->W + column * 4, end = w + (t->K + 3) / 4 * line;
        byte* x0 = t->Row(0), x1 = t->Row(1), x2 = t->Row(2), x3 = t->Row(3), x4 = t->Row(4), x5 = t->Row(5);
        Vector256<int> s0 = Vector256.Load(t->Start + column), s1 = Vector256.Load(t->Start + column + 8);
        Vector256<int> p0 = s0, q0 = s1;
        Vector256<int> p1 = s0, q1 = s1;
        Vector256<int> p2 = s0, q2 = s1;
        Vector256<int> p3 = s0, q3 = s1;
        Vector256<int> p4 = s0, q4 = s1;
        Vector256<int> p5 = s0, q5 = s1;
        for (nint k = 0; w < end; w += line, k += 4)
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
        var sums = t->Sums + column;
        p0.Store(sums + 0);
        q0.Store(sums + 8);
        p1.Store(sums + 32);
        q1.Store(sums + 40);
        p2.Store(sums + 64);
        q2.Store(sums + 72);
        p3.Store(sums + 96);
        q3.Store(sums + 104);
        p4.Store(sums + 128);
        q4.Store(sums + 136);
        p5.Store(sums + 160);
        q5.Store(sums + 168);
    }
}
