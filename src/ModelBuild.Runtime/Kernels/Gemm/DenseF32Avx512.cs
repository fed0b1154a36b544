using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>
/// 512-bit path of the float dense layer. One row: 4 lines of the panel at a time, so that 8 (wide panel) or 4 sums hide the latency of the multiply-add while
/// the panel streams by once. Several rows: 8 x 32 or 4 x 32 sums stay in registers; x is broadcast from memory. A tile with fewer rows than that computes its
/// last row again and stores it once.
/// </summary>
internal unsafe struct DenseF32Avx512 : IDenseF32Path
{
    // Floats: 4 KB. Weights of one row are read once; from the outer caches they come late without this, because hardware prefetching ends at a page.
    private const int Ahead = 1024;

    /// <summary>How many of the rows left the next tile takes.</summary>
    public static int RowsAt(long left) => (int)Math.Min(left, 8);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(DenseF32Tile* t)
    {
        if (t->Width == Panels.Narrow)
        {
            for (var r = 0; r < t->Rows; r++) OneRowNarrow(t, r);
        }
        else if (t->Rows == 1) OneRow(t);
        else if (t->Rows <= 4) FourRows(t);
        else EightRows(t);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRow(DenseF32Tile* t)
    {
        float* x = t->X, w = t->W, end = x + t->K;
        Vector512<float> a0 = Vector512.Load(t->Start), a1 = Vector512.Load(t->Start + 16);
        Vector512<float> b0 = default, b1 = default, c0 = default, c1 = default, d0 = default, d1 = default;
        for (; end - x >= 4; x += 4, w += 128)
        {
            Prefetch(w + Ahead);
            Vector512<float> xa = Vector512.Create(x[0]), xb = Vector512.Create(x[1]), xc = Vector512.Create(x[2]), xd = Vector512.Create(x[3]);
            a0 = Vector512.FusedMultiplyAdd(Vector512.Load(w), xa, a0);
            a1 = Vector512.FusedMultiplyAdd(Vector512.Load(w + 16), xa, a1);
            b0 = Vector512.FusedMultiplyAdd(Vector512.Load(w + 32), xb, b0);
            b1 = Vector512.FusedMultiplyAdd(Vector512.Load(w + 48), xb, b1);
            c0 = Vector512.FusedMultiplyAdd(Vector512.Load(w + 64), xc, c0);
            c1 = Vector512.FusedMultiplyAdd(Vector512.Load(w + 80), xc, c1);
            d0 = Vector512.FusedMultiplyAdd(Vector512.Load(w + 96), xd, d0);
            d1 = Vector512.FusedMultiplyAdd(Vector512.Load(w + 112), xd, d1);
        }
        for (; x < end; x++, w += 32)
        {
            Vector512<float> xa = Vector512.Create(x[0]);
            a0 = Vector512.FusedMultiplyAdd(Vector512.Load(w), xa, a0);
            a1 = Vector512.FusedMultiplyAdd(Vector512.Load(w + 16), xa, a1);
        }
        Vector512<float> low = Vector512.Create(t->Minimum), high = Vector512.Create(t->Maximum);
        Vector512.Min(Vector512.Max((a0 + b0) + (c0 + d0), low), high).Store(t->Y);
        Vector512.Min(Vector512.Max((a1 + b1) + (c1 + d1), low), high).Store(t->Y + 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRowNarrow(DenseF32Tile* t, int row)
    {
        float* x = t->Row(row), w = t->W, end = x + t->K;
        Vector512<float> a = Vector512.Load(t->Start), b = default, c = default, d = default;
        for (; end - x >= 4; x += 4, w += 64)
        {
            a = Vector512.FusedMultiplyAdd(Vector512.Load(w), Vector512.Create(x[0]), a);
            b = Vector512.FusedMultiplyAdd(Vector512.Load(w + 16), Vector512.Create(x[1]), b);
            c = Vector512.FusedMultiplyAdd(Vector512.Load(w + 32), Vector512.Create(x[2]), c);
            d = Vector512.FusedMultiplyAdd(Vector512.Load(w + 48), Vector512.Create(x[3]), d);
        }
        for (; x < end; x++, w += 16) a = Vector512.FusedMultiplyAdd(Vector512.Load(w), Vector512.Create(x[0]), a);
        Vector512.Min(Vector512.Max((a + b) + (c + d), Vector512.Create(t->Minimum)), Vector512.Create(t->Maximum)).Store(t->Y + row * t->YStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourRows(DenseF32Tile* t)
    {
        float* w = t->W, end = w + t->K * 32;
        float* x0 = t->Row(0), x1 = t->Row(1), x2 = t->Row(2), x3 = t->Row(3);
        Vector512<float> s0 = Vector512.Load(t->Start), s1 = Vector512.Load(t->Start + 16);
        Vector512<float> p0 = s0, q0 = s1;
        Vector512<float> p1 = s0, q1 = s1;
        Vector512<float> p2 = s0, q2 = s1;
        Vector512<float> p3 = s0, q3 = s1;
        for (nint k = 0; w < end; w += 32, k++)
        {
            Vector512<float> w0 = Vector512.Load(w), w1 = Vector512.Load(w + 16), v;
            v = Vector512.Create(x0[k]);
            p0 = Vector512.FusedMultiplyAdd(w0, v, p0);
            q0 = Vector512.FusedMultiplyAdd(w1, v, q0);
            v = Vector512.Create(x1[k]);
            p1 = Vector512.FusedMultiplyAdd(w0, v, p1);
            q1 = Vector512.FusedMultiplyAdd(w1, v, q1);
            v = Vector512.Create(x2[k]);
            p2 = Vector512.FusedMultiplyAdd(w0, v, p2);
            q2 = Vector512.FusedMultiplyAdd(w1, v, q2);
            v = Vector512.Create(x3[k]);
            p3 = Vector512.FusedMultiplyAdd(w0, v, p3);
            q3 = Vector512.FusedMultiplyAdd(w1, v, q3);
        }
        Store(t, 0, p0, q0);
        if (t->Rows > 1) Store(t, 1, p1, q1);
        if (t->Rows > 2) Store(t, 2, p2, q2);
        if (t->Rows > 3) Store(t, 3, p3, q3);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void EightRows(DenseF32Tile* t)
    {
        float* w = t->W, end = w + t->K * 32;
        float* x0 = t->Row(0), x1 = t->Row(1), x2 = t->Row(2), x3 = t->Row(3), x4 = t->Row(4), x5 = t->Row(5), x6 = t->Row(6), x7 = t->Row(7);
        Vector512<float> s0 = Vector512.Load(t->Start), s1 = Vector512.Load(t->Start + 16);
        Vector512<float> p0 = s0, q0 = s1;
        Vector512<float> p1 = s0, q1 = s1;
        Vector512<float> p2 = s0, q2 = s1;
        Vector512<float> p3 = s0, q3 = s1;
        Vector512<float> p4 = s0, q4 = s1;
        Vector512<float> p5 = s0, q5 = s1;
        Vector512<float> p6 = s0, q6 = s1;
        Vector512<float> p7 = s0, q7 = s1;
        for (nint k = 0; w < end; w += 32, k++)
        {
            Vector512<float> w0 = Vector512.Load(w), w1 = Vector512.Load(w + 16), v;
            v = Vector512.Create(x0[k]);
            p0 = Vector512.FusedMultiplyAdd(w0, v, p0);
            q0 = Vector512.FusedMultiplyAdd(w1, v, q0);
            v = Vector512.Create(x1[k]);
            p1 = Vector512.FusedMultiplyAdd(w0, v, p1);
            q1 = Vector512.FusedMultiplyAdd(w1, v, q1);
            v = Vector512.Create(x2[k]);
            p2 = Vector512.FusedMultiplyAdd(w0, v, p2);
            q2 = Vector512.FusedMultiplyAdd(w1, v, q2);
            v = Vector512.Create(x3[k]);
            p3 = Vector512.FusedMultiplyAdd(w0, v, p3);
            q3 = Vector512.FusedMultiplyAdd(w1, v, q3);
            v = Vector512.Create(x4[k]);
            p4 = Vector512.FusedMultiplyAdd(w0, v, p4);
            q4 = Vector512.FusedMultiplyAdd(w1, v, q4);
            v = Vector512.Create(x5[k]);
            p5 = Vector512.FusedMultiplyAdd(w0, v, p5);
            q5 = Vector512.FusedMultiplyAdd(w1, v, q5);
            v = Vector512.Create(x6[k]);
            p6 = Vector512.FusedMultiplyAdd(w0, v, p6);
            q6 = Vector512.FusedMultiplyAdd(w1, v, q6);
            v = Vector512.Create(x7[k]);
            p7 = Vector512.FusedMultiplyAdd(w0, v, p7);
            q7 = Vector512.FusedMultiplyAdd(w1, v, q7);
        }
        Store(t, 0, p0, q0);
        if (t->Rows > 1) Store(t, 1, p1, q1);
        if (t->Rows > 2) Store(t, 2, p2, q2);
        if (t->Rows > 3) Store(t, 3, p3, q3);
        if (t->Rows > 4) Store(t, 4, p4, q4);
        if (t->Rows > 5) Store(t, 5, p5, q5);
        if (t->Rows > 6) Store(t, 6, p6, q6);
        if (t->Rows > 7) Store(t, 7, p7, q7);
    }

    // The 8 cache lines that one iteration reads. A prefetch never faults, wherever it points.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(float* w)
    {
        Sse.Prefetch0(w);
        Sse.Prefetch0(w + 16);
        Sse.Prefetch0(w + 32);
        Sse.Prefetch0(w + 48);
        Sse.Prefetch0(w + 64);
        Sse.Prefetch0(w + 80);
        Sse.Prefetch0(w + 96);
        Sse.Prefetch0(w + 112);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(DenseF32Tile* t, int row, Vector512<float> left, Vector512<float> right)
    {
        var y = t->Y + row * t->YStride;
        Vector512<float> low = Vector512.Create(t->Minimum), high = Vector512.Create(t->Maximum);
        Vector512.Min(Vector512.Max(left, low), high).Store(y);
        Vector512.Min(Vector512.Max(right, low), high).Store(y + 16);
    }
}
