using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>
/// 512-bit path of the float convolution: up to 14 pixels x 32 channels of sums in registers (28 of 32), inputs broadcast from memory. The number of pixels is
/// a type, so that each has its own code, without pixels that are computed and thrown away. One pixel alone streams the panel by four lines at a time.
/// </summary>
internal readonly unsafe struct ConvolutionF32Avx512 : IConvolutionF32Path
{
    // Floats: 4 KB, as DenseF32Avx512.
    private const int Ahead = 1024;

    public static int MostRows => 14;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(ConvolutionF32Tile* t)
    {
        if (t->Rows == 1) One(t);
        else if (t->Width == Panels.Wide) Run<Yes>(t);
        else Run<No>(t);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TWide>(ConvolutionF32Tile* t) where TWide : struct, IFlag
    {
        switch (t->Rows)
        {
            case 2: Several<Rows2, TWide>(t); break;
            case 3: Several<Rows3, TWide>(t); break;
            case 4: Several<Rows4, TWide>(t); break;
            case 5: Several<Rows5, TWide>(t); break;
            case 6: Several<Rows6, TWide>(t); break;
            case 7: Several<Rows7, TWide>(t); break;
            case 8: Several<Rows8, TWide>(t); break;
            case 9: Several<Rows9, TWide>(t); break;
            case 10: Several<Rows10, TWide>(t); break;
            case 11: Several<Rows11, TWide>(t); break;
            case 12: Several<Rows12, TWide>(t); break;
            case 13: Several<Rows13, TWide>(t); break;
            default: Several<Rows14, TWide>(t); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void One(ConvolutionF32Tile* t)
    {
        var wide = t->Width == Panels.Wide;
        Vector512<float> a0 = Vector512.Load(t->Start), a1 = wide ? Vector512.Load(t->Start + 16) : default;
        Vector512<float> b0 = default, b1 = default, c0 = default, c1 = default, d0 = default, d1 = default;
        var w = t->W;
        var row = t->X + t->XOffsets[0];
        for (var ty = t->TapsY; ty > 0; ty--, row += t->TapY)
        {
            var tap = row;
            for (var tx = t->TapsX; tx > 0; tx--, tap += t->TapX)
            {
                float* x = (float*)tap, end = x + t->Run;
                if (wide)
                {
                    for (; end - x >= 4; x += 4, w += 128)
                    {
                        Prefetch(w + Ahead);
                        Prefetch(w + Ahead + 64);
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
                }
                else
                {
                    for (; end - x >= 4; x += 4, w += 64)
                    {
                        Prefetch(w + Ahead);
                        a0 = Vector512.FusedMultiplyAdd(Vector512.Load(w), Vector512.Create(x[0]), a0);
                        b0 = Vector512.FusedMultiplyAdd(Vector512.Load(w + 16), Vector512.Create(x[1]), b0);
                        c0 = Vector512.FusedMultiplyAdd(Vector512.Load(w + 32), Vector512.Create(x[2]), c0);
                        d0 = Vector512.FusedMultiplyAdd(Vector512.Load(w + 48), Vector512.Create(x[3]), d0);
                    }
                    for (; x < end; x++, w += 16) a0 = Vector512.FusedMultiplyAdd(Vector512.Load(w), Vector512.Create(x[0]), a0);
                }
            }
        }
        a0 = (a0 + b0) + (c0 + d0);
        // Locals: what is stored might change the tile, for all that the compiler knows.
        Vector512<float> low = Vector512.Create(t->Minimum), high = Vector512.Create(t->Maximum);
        float* y = t->Y, residual = t->Residual;
        long* ys = t->YOffsets, residuals = t->ResidualOffsets;
        var columns = t->Columns;
        if (!wide) Store<No>(y, ys, residual, residuals, 0, columns, low, high, a0, default);
        else Store<Yes>(y, ys, residual, residuals, 0, columns, low, high, a0, (a1 + b1) + (c1 + d1));
    }

    // Four cache lines. A prefetch never faults, wherever it points.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(float* w)
    {
        Sse.Prefetch0(w);
        Sse.Prefetch0(w + 16);
        Sse.Prefetch0(w + 32);
        Sse.Prefetch0(w + 48);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Several<TRows, TWide>(ConvolutionF32Tile* t) where TRows : struct, ICount where TWide : struct, IFlag
    {
        Vector512<float> s0 = Vector512.Load(t->Start), s1 = TWide.Value ? Vector512.Load(t->Start + 16) : default;
        Vector512<float> p0 = s0, q0 = s1;
        Vector512<float> p1 = s0, q1 = s1;
        Vector512<float> p2 = s0, q2 = s1;
        Vector512<float> p3 = s0, q3 = s1;
        Vector512<float> p4 = s0, q4 = s1;
        Vector512<float> p5 = s0, q5 = s1;
        Vector512<float> p6 = s0, q6 = s1;
        Vector512<float> p7 = s0, q7 = s1;
        Vector512<float> p8 = s0, q8 = s1;
        Vector512<float> p9 = s0, q9 = s1;
        Vector512<float> p10 = s0, q10 = s1;
        Vector512<float> p11 = s0, q11 = s1;
        Vector512<float> p12 = s0, q12 = s1;
        Vector512<float> p13 = s0, q13 = s1;
        long* at = t->XOffsets;
        // Where the other pixels are, from the first one.
        nint o1 = (nint)(at[1] - at[0]);
        var o2 = TRows.Count > 2 ? (nint)(at[2] - at[0]) : 0;
        var o3 = TRows.Count > 3 ? (nint)(at[3] - at[0]) : 0;
        var o4 = TRows.Count > 4 ? (nint)(at[4] - at[0]) : 0;
        var o5 = TRows.Count > 5 ? (nint)(at[5] - at[0]) : 0;
        var o6 = TRows.Count > 6 ? (nint)(at[6] - at[0]) : 0;
        var o7 = TRows.Count > 7 ? (nint)(at[7] - at[0]) : 0;
        var o8 = TRows.Count > 8 ? (nint)(at[8] - at[0]) : 0;
        var o9 = TRows.Count > 9 ? (nint)(at[9] - at[0]) : 0;
        var o10 = TRows.Count > 10 ? (nint)(at[10] - at[0]) : 0;
        var o11 = TRows.Count > 11 ? (nint)(at[11] - at[0]) : 0;
        var o12 = TRows.Count > 12 ? (nint)(at[12] - at[0]) : 0;
        var o13 = TRows.Count > 13 ? (nint)(at[13] - at[0]) : 0;
        var w = t->W;
        var row = t->X + at[0];
        for (var ty = t->TapsY; ty > 0; ty--, row += t->TapY)
        {
            var tap = row;
            for (var tx = t->TapsX; tx > 0; tx--, tap += t->TapX)
            {
                byte* x = tap, end = x + t->Run * sizeof(float);
                for (; x < end; x += sizeof(float), w += TWide.Value ? 32 : 16)
                {
                    if (TWide.Value)
                    {
                        Sse.Prefetch0(w + Ahead);
                        Sse.Prefetch0(w + Ahead + 16);
                    }
                    Vector512<float> w0 = Vector512.Load(w), w1 = TWide.Value ? Vector512.Load(w + 16) : default, v;
                    v = Vector512.Create(*(float*)x);
                    p0 = Vector512.FusedMultiplyAdd(w0, v, p0);
                    if (TWide.Value) q0 = Vector512.FusedMultiplyAdd(w1, v, q0);
                    v = Vector512.Create(*(float*)(x + o1));
                    p1 = Vector512.FusedMultiplyAdd(w0, v, p1);
                    if (TWide.Value) q1 = Vector512.FusedMultiplyAdd(w1, v, q1);
                    if (TRows.Count > 2)
                    {
                        v = Vector512.Create(*(float*)(x + o2));
                        p2 = Vector512.FusedMultiplyAdd(w0, v, p2);
                        if (TWide.Value) q2 = Vector512.FusedMultiplyAdd(w1, v, q2);
                    }
                    if (TRows.Count > 3)
                    {
                        v = Vector512.Create(*(float*)(x + o3));
                        p3 = Vector512.FusedMultiplyAdd(w0, v, p3);
                        if (TWide.Value) q3 = Vector512.FusedMultiplyAdd(w1, v, q3);
                    }
                    if (TRows.Count > 4)
                    {
                        v = Vector512.Create(*(float*)(x + o4));
                        p4 = Vector512.FusedMultiplyAdd(w0, v, p4);
                        if (TWide.Value) q4 = Vector512.FusedMultiplyAdd(w1, v, q4);
                    }
                    if (TRows.Count > 5)
                    {
                        v = Vector512.Create(*(float*)(x + o5));
                        p5 = Vector512.FusedMultiplyAdd(w0, v, p5);
                        if (TWide.Value) q5 = Vector512.FusedMultiplyAdd(w1, v, q5);
                    }
                    if (TRows.Count > 6)
                    {
                        v = Vector512.Create(*(float*)(x + o6));
                        p6 = Vector512.FusedMultiplyAdd(w0, v, p6);
                        if (TWide.Value) q6 = Vector512.FusedMultiplyAdd(w1, v, q6);
                    }
                    if (TRows.Count > 7)
                    {
                        v = Vector512.Create(*(float*)(x + o7));
                        p7 = Vector512.FusedMultiplyAdd(w0, v, p7);
                        if (TWide.Value) q7 = Vector512.FusedMultiplyAdd(w1, v, q7);
                    }
                    if (TRows.Count > 8)
                    {
                        v = Vector512.Create(*(float*)(x + o8));
                        p8 = Vector512.FusedMultiplyAdd(w0, v, p8);
                        if (TWide.Value) q8 = Vector512.FusedMultiplyAdd(w1, v, q8);
                    }
                    if (TRows.Count > 9)
                    {
                        v = Vector512.Create(*(float*)(x + o9));
                        p9 = Vector512.FusedMultiplyAdd(w0, v, p9);
                        if (TWide.Value) q9 = Vector512.FusedMultiplyAdd(w1, v, q9);
                    }
                    if (TRows.Count > 10)
                    {
                        v = Vector512.Create(*(float*)(x + o10));
                        p10 = Vector512.FusedMultiplyAdd(w0, v, p10);
                        if (TWide.Value) q10 = Vector512.FusedMultiplyAdd(w1, v, q10);
                    }
                    if (TRows.Count > 11)
                    {
                        v = Vector512.Create(*(float*)(x + o11));
                        p11 = Vector512.FusedMultiplyAdd(w0, v, p11);
                        if (TWide.Value) q11 = Vector512.FusedMultiplyAdd(w1, v, q11);
                    }
                    if (TRows.Count > 12)
                    {
                        v = Vector512.Create(*(float*)(x + o12));
                        p12 = Vector512.FusedMultiplyAdd(w0, v, p12);
                        if (TWide.Value) q12 = Vector512.FusedMultiplyAdd(w1, v, q12);
                    }
                    if (TRows.Count > 13)
                    {
                        v = Vector512.Create(*(float*)(x + o13));
                        p13 = Vector512.FusedMultiplyAdd(w0, v, p13);
                        if (TWide.Value) q13 = Vector512.FusedMultiplyAdd(w1, v, q13);
                    }
                }
            }
        }
        // Locals: what is stored might change the tile, for all that the compiler knows.
        Vector512<float> low = Vector512.Create(t->Minimum), high = Vector512.Create(t->Maximum);
        float* y = t->Y, residual = t->Residual;
        long* ys = t->YOffsets, residuals = t->ResidualOffsets;
        var columns = t->Columns;
        Store<TWide>(y, ys, residual, residuals, 0, columns, low, high, p0, q0);
        Store<TWide>(y, ys, residual, residuals, 1, columns, low, high, p1, q1);
        if (TRows.Count > 2) Store<TWide>(y, ys, residual, residuals, 2, columns, low, high, p2, q2);
        if (TRows.Count > 3) Store<TWide>(y, ys, residual, residuals, 3, columns, low, high, p3, q3);
        if (TRows.Count > 4) Store<TWide>(y, ys, residual, residuals, 4, columns, low, high, p4, q4);
        if (TRows.Count > 5) Store<TWide>(y, ys, residual, residuals, 5, columns, low, high, p5, q5);
        if (TRows.Count > 6) Store<TWide>(y, ys, residual, residuals, 6, columns, low, high, p6, q6);
        if (TRows.Count > 7) Store<TWide>(y, ys, residual, residuals, 7, columns, low, high, p7, q7);
        if (TRows.Count > 8) Store<TWide>(y, ys, residual, residuals, 8, columns, low, high, p8, q8);
        if (TRows.Count > 9) Store<TWide>(y, ys, residual, residuals, 9, columns, low, high, p9, q9);
        if (TRows.Count > 10) Store<TWide>(y, ys, residual, residuals, 10, columns, low, high, p10, q10);
        if (TRows.Count > 11) Store<TWide>(y, ys, residual, residuals, 11, columns, low, high, p11, q11);
        if (TRows.Count > 12) Store<TWide>(y, ys, residual, residuals, 12, columns, low, high, p12, q12);
        if (TRows.Count > 13) Store<TWide>(y, ys, residual, residuals, 13, columns, low, high, p13, q13);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TWide>(float* y, long* ys, float* residual, long* residuals, int row, int columns, Vector512<float> low, Vector512<float> high,
        Vector512<float> left, Vector512<float> right) where TWide : struct, IFlag
    {
        y += ys[row];
        if (residual != null)
        {
            residual += residuals[row];
            left += Vector512.Load(residual);
            if (TWide.Value) right += Vector512.Load(residual + 16);
        }
        // Not a number stays one: the native minimum and maximum give their second operand then.
        left = Vector512.MinNative(high, Vector512.MaxNative(low, left));
        if (TWide.Value)
        {
            left.Store(y);
            right = Vector512.MinNative(high, Vector512.MaxNative(low, right));
            if (columns == Panels.Wide) right.Store(y + 16);
            else Avx512F.MaskStore(y + 16, Mask(columns - 16), right);
        }
        else if (columns == Panels.Narrow) left.Store(y);
        else Avx512F.MaskStore(y, Mask(columns), left);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Mask(int columns) => Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(columns)).AsSingle();
}
