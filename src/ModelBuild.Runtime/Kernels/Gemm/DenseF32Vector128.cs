using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelBuild.Kernels;

/// <summary>
/// Portable path of the float dense layer: 128-bit vectors, arm64 and x64 without FMA. Tiles of 4 rows x 8 columns, or one row x 16; a multiply-add is fused
/// where the CPU fuses, and a multiplication and an addition elsewhere, never a call.
/// </summary>
internal unsafe struct DenseF32Vector128 : IDenseF32Path
{
    /// <summary>How many of the rows left the next tile takes.</summary>
    public static int RowsAt(long left) => (int)Math.Min(left, 4);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(DenseF32Tile* t)
    {
        if (t->Rows == 1)
        {
            for (var column = 0; column < t->Width; column += 16) OneRow(t, column);
        }
        else
        {
            for (var column = 0; column < t->Width; column += 8) FourRows(t, column);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRow(DenseF32Tile* t, int column)
    {
        float* x = t->X, w = t->W + column, end = x + t->K, start = t->Start + column;
        Vector128<float> a = Vector128.Load(start), b = Vector128.Load(start + 4), c = Vector128.Load(start + 8), d = Vector128.Load(start + 12);
        for (; x < end; x++, w += t->Width)
        {
            Vector128<float> v = Vector128.Create(*x);
            a = Vector128.MultiplyAddEstimate(Vector128.Load(w), v, a);
            b = Vector128.MultiplyAddEstimate(Vector128.Load(w + 4), v, b);
            c = Vector128.MultiplyAddEstimate(Vector128.Load(w + 8), v, c);
            d = Vector128.MultiplyAddEstimate(Vector128.Load(w + 12), v, d);
        }
        Store(t, 0, column, a, b);
        Store(t, 0, column + 8, c, d);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourRows(DenseF32Tile* t, int column)
    {
        long line = t->Width;
        float* w = t->W + column, end = w + t->K * line;
        float* x0 = t->Row(0), x1 = t->Row(1), x2 = t->Row(2), x3 = t->Row(3);
        Vector128<float> s0 = Vector128.Load(t->Start + column), s1 = Vector128.Load(t->Start + column + 4);
        Vector128<float> p0 = s0, q0 = s1;
        Vector128<float> p1 = s0, q1 = s1;
        Vector128<float> p2 = s0, q2 = s1;
        Vector128<float> p3 = s0, q3 = s1;
        for (nint k = 0; w < end; w += line, k++)
        {
            Vector128<float> w0 = Vector128.Load(w), w1 = Vector128.Load(w + 4), v;
            v = Vector128.Create(x0[k]);
            p0 = Vector128.MultiplyAddEstimate(w0, v, p0);
            q0 = Vector128.MultiplyAddEstimate(w1, v, q0);
            v = Vector128.Create(x1[k]);
            p1 = Vector128.MultiplyAddEstimate(w0, v, p1);
            q1 = Vector128.MultiplyAddEstimate(w1, v, q1);
            v = Vector128.Create(x2[k]);
            p2 = Vector128.MultiplyAddEstimate(w0, v, p2);
            q2 = Vector128.MultiplyAddEstimate(w1, v, q2);
            v = Vector128.Create(x3[k]);
            p3 = Vector128.MultiplyAddEstimate(w0, v, p3);
            q3 = Vector128.MultiplyAddEstimate(w1, v, q3);
        }
        Store(t, 0, column, p0, q0);
        if (t->Rows > 1) Store(t, 1, column, p1, q1);
        if (t->Rows > 2) Store(t, 2, column, p2, q2);
        if (t->Rows > 3) Store(t, 3, column, p3, q3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(DenseF32Tile* t, int row, int column, Vector128<float> left, Vector128<float> right)
    {
        var y = t->Y + row * t->YStride + column;
        Vector128<float> low = Vector128.Create(t->Minimum), high = Vector128.Create(t->Maximum);
        Vector128.Min(Vector128.Max(left, low), high).Store(y);
        Vector128.Min(Vector128.Max(right, low), high).Store(y + 4);
    }
}
