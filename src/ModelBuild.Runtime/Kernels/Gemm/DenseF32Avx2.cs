using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelBuild.Kernels;

/// <summary>
/// 256-bit path of the float dense layer (FMA). One row: 16 columns at a time with 4 lines of the panel in flight, 8 sums. Several rows: 6 x 16 sums stay
/// in registers, 12 of 16; a wide panel is two halves, read with a stride of 32 floats.
/// </summary>
internal unsafe struct DenseF32Avx2 : IDenseF32Path
{
    /// <summary>How many of the rows left the next tile takes.</summary>
    public static int RowsAt(long left) => (int)Math.Min(left, 6);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(DenseF32Tile* t)
    {
        for (var column = 0; column < t->Width; column += 16)
        {
            if (t->Rows == 1) OneRow(t, column);
            else SixRows(t, column);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRow(DenseF32Tile* t, int column)
    {
        float* x = t->X, w = t->W + column, end = x + t->K;
        long line = t->Width;
        Vector256<float> a0 = Vector256.Load(t->Start + column), a1 = Vector256.Load(t->Start + column + 8);
        Vector256<float> b0 = default, b1 = default, c0 = default, c1 = default, d0 = default, d1 = default;
        for (; end - x >= 4; x += 4, w += 4 * line)
        {
            Vector256<float> xa = Vector256.Create(x[0]), xb = Vector256.Create(x[1]), xc = Vector256.Create(x[2]), xd = Vector256.Create(x[3]);
            a0 = Vector256.FusedMultiplyAdd(Vector256.Load(w), xa, a0);
            a1 = Vector256.FusedMultiplyAdd(Vector256.Load(w + 8), xa, a1);
            b0 = Vector256.FusedMultiplyAdd(Vector256.Load(w + line), xb, b0);
            b1 = Vector256.FusedMultiplyAdd(Vector256.Load(w + line + 8), xb, b1);
            c0 = Vector256.FusedMultiplyAdd(Vector256.Load(w + 2 * line), xc, c0);
            c1 = Vector256.FusedMultiplyAdd(Vector256.Load(w + 2 * line + 8), xc, c1);
            d0 = Vector256.FusedMultiplyAdd(Vector256.Load(w + 3 * line), xd, d0);
            d1 = Vector256.FusedMultiplyAdd(Vector256.Load(w + 3 * line + 8), xd, d1);
        }
        for (; x < end; x++, w += line)
        {
            Vector256<float> xa = Vector256.Create(x[0]);
            a0 = Vector256.FusedMultiplyAdd(Vector256.Load(w), xa, a0);
            a1 = Vector256.FusedMultiplyAdd(Vector256.Load(w + 8), xa, a1);
        }
        Store(t, 0, column, (a0 + b0) + (c0 + d0), (a1 + b1) + (c1 + d1));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SixRows(DenseF32Tile* t, int column)
    {
        long line = t->Width;
        float* w = t->W + column, end = w + t->K * line;
        float* x0 = t->Row(0), x1 = t->Row(1), x2 = t->Row(2), x3 = t->Row(3), x4 = t->Row(4), x5 = t->Row(5);
        Vector256<float> s0 = Vector256.Load(t->Start + column), s1 = Vector256.Load(t->Start + column + 8);
        Vector256<float> p0 = s0, q0 = s1;
        Vector256<float> p1 = s0, q1 = s1;
        Vector256<float> p2 = s0, q2 = s1;
        Vector256<float> p3 = s0, q3 = s1;
        Vector256<float> p4 = s0, q4 = s1;
        Vector256<float> p5 = s0, q5 = s1;
        for (nint k = 0; w < end; w += line, k++)
        {
            Vector256<float> w0 = Vector256.Load(w), w1 = Vector256.Load(w + 8), v;
            v = Vector256.Create(x0[k]);
            p0 = Vector256.FusedMultiplyAdd(w0, v, p0);
            q0 = Vector256.FusedMultiplyAdd(w1, v, q0);
            v = Vector256.Create(x1[k]);
            p1 = Vector256.FusedMultiplyAdd(w0, v, p1);
            q1 = Vector256.FusedMultiplyAdd(w1, v, q1);
            v = Vector256.Create(x2[k]);
            p2 = Vector256.FusedMultiplyAdd(w0, v, p2);
            q2 = Vector256.FusedMultiplyAdd(w1, v, q2);
            v = Vector256.Create(x3[k]);
            p3 = Vector256.FusedMultiplyAdd(w0, v, p3);
            q3 = Vector256.FusedMultiplyAdd(w1, v, q3);
            v = Vector256.Create(x4[k]);
            p4 = Vector256.FusedMultiplyAdd(w0, v, p4);
            q4 = Vector256.FusedMultiplyAdd(w1, v, q4);
            v = Vector256.Create(x5[k]);
            p5 = Vector256.FusedMultiplyAdd(w0, v, p5);
            q5 = Vector256.FusedMultiplyAdd(w1, v, q5);
        }
        Store(t, 0, column, p0, q0);
        if (t->Rows > 1) Store(t, 1, column, p1, q1);
        if (t->Rows > 2) Store(t, 2, column, p2, q2);
        if (t->Rows > 3) Store(t, 3, column, p3, q3);
        if (t->Rows > 4) Store(t, 4, column, p4, q4);
        if (t->Rows > 5) Store(t, 5, column, p5, q5);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(DenseF32Tile* t, int row, int column, Vector256<float> left, Vector256<float> right)
    {
        var y = t->Y + row * t->YStride + column;
        Vector256<float> low = Vector256.Create(t->Minimum), high = Vector256.Create(t->Maximum);
        Vector256.Min(Vector256.Max(left, low), high).Store(y);
        Vector256.Min(Vector256.Max(right, low), high).Store(y + 8);
    }
}
