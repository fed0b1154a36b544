using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelBuild.Kernels;

/// <summary>
/// 512-bit tiles of the integer dense layer, for CPUs with AVX-512 but without AVX-VNNI (.NET has no 512-bit dot product of bytes). A vector of weights holds
/// 16 columns of 4 rows. One row: a panel at a time, two groups of 4 rows in flight. Several rows: 6 x 32 (or 4 x 32) sums stay in 12 of 32 registers,
/// which leaves room for widened weights.
/// </summary>
internal static unsafe class DenseInt8Avx512<TDot, TSource> where TDot : struct, IByteDot512 where TSource : struct, IByteSource
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(DenseInt8Tile* t)
    {
        if (t->Width == Panels.Narrow)
        {
            for (var r = 0; r < t->Rows; r++) OneRowNarrow(t, r);
        }
        else if (t->Rows == 1) OneRow(t);
        else if (t->Rows <= 4) FourRows(t);
        else SixRows(t);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRow(DenseInt8Tile* t)
    {
        byte* x = t->X, end = x + (t->K + 3) / 4 * 4;
        var w = (sbyte*)t->W;
        Vector512<int> a0 = Vector512.Load(t->Start), a1 = Vector512.Load(t->Start + 16), b0 = default, b1 = default;
        for (; end - x >= 8; x += 8, w += 256)
        {
            Vector512<byte> v = TSource.Broadcast512(x);
            a0 = TDot.Add(a0, v, Vector512.Load(w));
            a1 = TDot.Add(a1, v, Vector512.Load(w + 64));
            v = TSource.Broadcast512(x + 4);
            b0 = TDot.Add(b0, v, Vector512.Load(w + 128));
            b1 = TDot.Add(b1, v, Vector512.Load(w + 192));
        }
        if (x < end)
        {
            Vector512<byte> v = TSource.Broadcast512(x);
            a0 = TDot.Add(a0, v, Vector512.Load(w));
            a1 = TDot.Add(a1, v, Vector512.Load(w + 64));
        }
        (a0 + b0).Store(t->Sums);
        (a1 + b1).Store(t->Sums + 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRowNarrow(DenseInt8Tile* t, int row)
    {
        byte* x = t->Row(row), end = x + (t->K + 3) / 4 * 4;
        var w = (sbyte*)t->W;
        Vector512<int> a = Vector512.Load(t->Start), b = default;
        for (; end - x >= 8; x += 8, w += 128)
        {
            a = TDot.Add(a, TSource.Broadcast512(x), Vector512.Load(w));
            b = TDot.Add(b, TSource.Broadcast512(x + 4), Vector512.Load(w + 64));
        }
        if (x < end) a = TDot.Add(a, TSource.Broadcast512(x), Vector512.Load(w));
        (a + b).Store(t->Sums + row * Panels.Wide);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourRows(DenseInt8Tile* t)
    {
        sbyte* w = (sbyte*)t->W, end = w + (t->K + 3) / 4 * 128;
        byte* x0 = t->Row(0), x1 = t->Row(1), x2 = t->Row(2), x3 = t->Row(3);
        Vector512<int> s0 = Vector512.Load(t->Start), s1 = Vector512.Load(t->Start + 16);
        Vector512<int> p0 = s0, q0 = s1;
        Vector512<int> p1 = s0, q1 = s1;
        Vector512<int> p2 = s0, q2 = s1;
        Vector512<int> p3 = s0, q3 = s1;
        for (nint k = 0; w < end; w += 128, k += 4)
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
        }
        var sums = t->Sums;
        p0.Store(sums + 0);
        q0.Store(sums + 16);
        p1.Store(sums + 32);
        q1.Store(sums + 48);
        p2.Store(sums + 64);
        q2.Store(sums + 80);
        p3.Store(sums + 96);
        q3.Store(sums + 112);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SixRows(DenseInt8Tile* t)
    {
        sbyte* w = (sbyte*)t->W, end = w + (t->K + 3) / 4 * 128;
        byte* x0 = t->Row(0), x1 = t->Row(1), x2 = t->Row(2), x3 = t->Row(3), x4 = t->Row(4), x5 = t->Row(5);
        Vector512<int> s0 = Vector512.Load(t->Start), s1 = Vector512.Load(t->Start + 16);
        Vector512<int> p0 = s0, q0 = s1;
        Vector512<int> p1 = s0, q1 = s1;
        Vector512<int> p2 = s0, q2 = s1;
        Vector512<int> p3 = s0, q3 = s1;
        Vector512<int> p4 = s0, q4 = s1;
        Vector512<int> p5 = s0, q5 = s1;
        for (nint k = 0; w < end; w += 128, k += 4)
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
        var sums = t->Sums;
        p0.Store(sums + 0);
        q0.Store(sums + 16);
        p1.Store(sums + 32);
        q1.Store(sums + 48);
        p2.Store(sums + 64);
        q2.Store(sums + 80);
        p3.Store(sums + 96);
        q3.Store(sums + 112);
        p4.Store(sums + 128);
        q4.Store(sums + 144);
        p5.Store(sums + 160);
        q5.Store(sums + 176);
    }
}
