using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace ModelBuild.Kernels;

/// <summary>
/// Portable path of the float convolution: 128-bit vectors, arm64 and x64 without FMA. Up to 4 pixels x 8 channels, or 8 x 8 on arm64, which has 32 registers;
/// a multiply-add is fused where the CPU fuses, and a multiplication and an addition elsewhere, never a call.
/// </summary>
internal readonly unsafe struct ConvolutionF32Vector128 : IConvolutionF32Path
{
    public static int MostRows => AdvSimd.IsSupported ? 8 : 4;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(ConvolutionF32Tile* t)
    {
        for (var column = 0; column < t->Columns; column += 8)
        {
            if (t->Rows == 1) One(t, column);
            else if (t->Columns - column > 4) Run<Yes>(t, column);
            else Run<No>(t, column);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TWide>(ConvolutionF32Tile* t, int column) where TWide : struct, IFlag
    {
        switch (t->Rows)
        {
            case 2: Several<Rows2, TWide>(t, column); break;
            case 3: Several<Rows3, TWide>(t, column); break;
            case 4: Several<Rows4, TWide>(t, column); break;
            case 5: Several<Rows5, TWide>(t, column); break;
            case 6: Several<Rows6, TWide>(t, column); break;
            case 7: Several<Rows7, TWide>(t, column); break;
            default: Several<Rows8, TWide>(t, column); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void One(ConvolutionF32Tile* t, int column)
    {
        long line = t->Width;
        Vector128<float> a0 = Vector128.Load(t->Start + column), a1 = Vector128.Load(t->Start + column + 4);
        Vector128<float> b0 = default, b1 = default, c0 = default, c1 = default, d0 = default, d1 = default;
        var w = t->W + column;
        var row = t->X + t->XOffsets[0];
        for (var ty = t->TapsY; ty > 0; ty--, row += t->TapY)
        {
            var tap = row;
            for (var tx = t->TapsX; tx > 0; tx--, tap += t->TapX)
            {
                float* x = (float*)tap, end = x + t->Run;
                for (; end - x >= 4; x += 4, w += 4 * line)
                {
                    Vector128<float> xa = Vector128.Create(x[0]), xb = Vector128.Create(x[1]), xc = Vector128.Create(x[2]), xd = Vector128.Create(x[3]);
                    a0 = Vector128.MultiplyAddEstimate(Vector128.Load(w), xa, a0);
                    a1 = Vector128.MultiplyAddEstimate(Vector128.Load(w + 4), xa, a1);
                    b0 = Vector128.MultiplyAddEstimate(Vector128.Load(w + line), xb, b0);
                    b1 = Vector128.MultiplyAddEstimate(Vector128.Load(w + line + 4), xb, b1);
                    c0 = Vector128.MultiplyAddEstimate(Vector128.Load(w + 2 * line), xc, c0);
                    c1 = Vector128.MultiplyAddEstimate(Vector128.Load(w + 2 * line + 4), xc, c1);
                    d0 = Vector128.MultiplyAddEstimate(Vector128.Load(w + 3 * line), xd, d0);
                    d1 = Vector128.MultiplyAddEstimate(Vector128.Load(w + 3 * line + 4), xd, d1);
                }
                for (; x < end; x++, w += line)
                {
                    Vector128<float> xa = Vector128.Create(x[0]);
                    a0 = Vector128.MultiplyAddEstimate(Vector128.Load(w), xa, a0);
                    a1 = Vector128.MultiplyAddEstimate(Vector128.Load(w + 4), xa, a1);
                }
            }
        }
        a0 = (a0 + b0) + (c0 + d0);
        a1 = (a1 + b1) + (c1 + d1);
        if (t->Columns - column > 4) Store<Yes>(t, 0, column, a0, a1);
        else Store<No>(t, 0, column, a0, a1);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Several<TRows, TWide>(ConvolutionF32Tile* t, int column) where TRows : struct, ICount where TWide : struct, IFlag
    {
        long line = t->Width;
        Vector128<float> s0 = Vector128.Load(t->Start + column), s1 = TWide.Value ? Vector128.Load(t->Start + column + 4) : default;
        Vector128<float> p0 = s0, q0 = s1;
        Vector128<float> p1 = s0, q1 = s1;
        Vector128<float> p2 = s0, q2 = s1;
        Vector128<float> p3 = s0, q3 = s1;
        Vector128<float> p4 = s0, q4 = s1;
        Vector128<float> p5 = s0, q5 = s1;
        Vector128<float> p6 = s0, q6 = s1;
        Vector128<float> p7 = s0, q7 = s1;
        long* at = t->XOffsets;
        // Where the other pixels are, from the first one.
        nint o1 = (nint)(at[1] - at[0]);
        var o2 = TRows.Count > 2 ? (nint)(at[2] - at[0]) : 0;
        var o3 = TRows.Count > 3 ? (nint)(at[3] - at[0]) : 0;
        var o4 = TRows.Count > 4 ? (nint)(at[4] - at[0]) : 0;
        var o5 = TRows.Count > 5 ? (nint)(at[5] - at[0]) : 0;
        var o6 = TRows.Count > 6 ? (nint)(at[6] - at[0]) : 0;
        var o7 = TRows.Count > 7 ? (nint)(at[7] - at[0]) : 0;
        var w = t->W + column;
        var row = t->X + at[0];
        for (var ty = t->TapsY; ty > 0; ty--, row += t->TapY)
        {
            var tap = row;
            for (var tx = t->TapsX; tx > 0; tx--, tap += t->TapX)
            {
                byte* x = tap, end = x + t->Run * sizeof(float);
                for (; x < end; x += sizeof(float), w += line)
                {
                    Vector128<float> w0 = Vector128.Load(w), w1 = TWide.Value ? Vector128.Load(w + 4) : default, v;
                    v = Vector128.Create(*(float*)x);
                    p0 = Vector128.MultiplyAddEstimate(w0, v, p0);
                    if (TWide.Value) q0 = Vector128.MultiplyAddEstimate(w1, v, q0);
                    v = Vector128.Create(*(float*)(x + o1));
                    p1 = Vector128.MultiplyAddEstimate(w0, v, p1);
                    if (TWide.Value) q1 = Vector128.MultiplyAddEstimate(w1, v, q1);
                    if (TRows.Count > 2)
                    {
                        v = Vector128.Create(*(float*)(x + o2));
                        p2 = Vector128.MultiplyAddEstimate(w0, v, p2);
                        if (TWide.Value) q2 = Vector128.MultiplyAddEstimate(w1, v, q2);
                    }
                    if (TRows.Count > 3)
                    {
                        v = Vector128.Create(*(float*)(x + o3));
                        p3 = Vector128.MultiplyAddEstimate(w0, v, p3);
                        if (TWide.Value) q3 = Vector128.MultiplyAddEstimate(w1, v, q3);
                    }
                    if (TRows.Count > 4)
                    {
                        v = Vector128.Create(*(float*)(x + o4));
                        p4 = Vector128.MultiplyAddEstimate(w0, v, p4);
                        if (TWide.Value) q4 = Vector128.MultiplyAddEstimate(w1, v, q4);
                    }
                    if (TRows.Count > 5)
                    {
                        v = Vector128.Create(*(float*)(x + o5));
                        p5 = Vector128.MultiplyAddEstimate(w0, v, p5);
                        if (TWide.Value) q5 = Vector128.MultiplyAddEstimate(w1, v, q5);
                    }
                    if (TRows.Count > 6)
                    {
                        v = Vector128.Create(*(float*)(x + o6));
                        p6 = Vector128.MultiplyAddEstimate(w0, v, p6);
                        if (TWide.Value) q6 = Vector128.MultiplyAddEstimate(w1, v, q6);
                    }
                    if (TRows.Count > 7)
                    {
                        v = Vector128.Create(*(float*)(x + o7));
                        p7 = Vector128.MultiplyAddEstimate(w0, v, p7);
                        if (TWide.Value) q7 = Vector128.MultiplyAddEstimate(w1, v, q7);
                    }
                }
            }
        }
        Store<TWide>(t, 0, column, p0, q0);
        Store<TWide>(t, 1, column, p1, q1);
        if (TRows.Count > 2) Store<TWide>(t, 2, column, p2, q2);
        if (TRows.Count > 3) Store<TWide>(t, 3, column, p3, q3);
        if (TRows.Count > 4) Store<TWide>(t, 4, column, p4, q4);
        if (TRows.Count > 5) Store<TWide>(t, 5, column, p5, q5);
        if (TRows.Count > 6) Store<TWide>(t, 6, column, p6, q6);
        if (TRows.Count > 7) Store<TWide>(t, 7, column, p7, q7);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TWide>(ConvolutionF32Tile* t, int row, int column, Vector128<float> left, Vector128<float> right) where TWide : struct, IFlag
    {
        if (t->Residual != null)
        {
            var residual = t->Residual + t->ResidualOffsets[row] + column;
            left += Vector128.Load(residual);
            if (TWide.Value) right += Vector128.Load(residual + 4);
        }
        Vector128<float> low = Vector128.Create(t->Minimum), high = Vector128.Create(t->Maximum);
        var y = t->Y + t->YOffsets[row] + column;
        var columns = t->Columns - column;
        // Not a number stays one: the native minimum and maximum give their second operand then.
        left = Vector128.MinNative(high, Vector128.MaxNative(low, left));
        if (TWide.Value)
        {
            left.Store(y);
            right = Vector128.MinNative(high, Vector128.MaxNative(low, right));
            if (columns >= 8) right.Store(y + 4);
            else StorePart(y + 4, columns - 4, right);
        }
        else if (columns == 4) left.Store(y);
        else StorePart(y, columns, left);
    }

    // One to three columns.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StorePart(float* y, int columns, Vector128<float> value)
    {
        y[0] = value[0];
        if (columns > 1) y[1] = value[1];
        if (columns > 2) y[2] = value[2];
    }
}
