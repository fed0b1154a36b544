using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>
/// 256-bit path of the float convolution (FMA): up to 6 pixels x 16 channels of sums in registers, 12 of 16; a wide panel is two halves, read with a stride of
/// 32 floats, of which one without channels is left out, and one of up to 8 channels takes half as many sums.
/// </summary>
internal readonly unsafe struct ConvolutionF32Fma : IConvolutionF32Path
{
    public static int MostRows => 6;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(ConvolutionF32Tile* t)
    {
        for (var column = 0; column < t->Columns; column += 16)
        {
            if (t->Rows == 1) One(t, column);
            else if (t->Columns - column > 8) Run<Yes>(t, column);
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
            default: Several<Rows6, TWide>(t, column); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void One(ConvolutionF32Tile* t, int column)
    {
        long line = t->Width;
        Vector256<float> a0 = Vector256.Load(t->Start + column), a1 = Vector256.Load(t->Start + column + 8);
        Vector256<float> b0 = default, b1 = default, c0 = default, c1 = default, d0 = default, d1 = default;
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
            }
        }
        a0 = (a0 + b0) + (c0 + d0);
        a1 = (a1 + b1) + (c1 + d1);
        if (t->Columns - column > 8) Store<Yes>(t, 0, column, a0, a1);
        else Store<No>(t, 0, column, a0, a1);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Several<TRows, TWide>(ConvolutionF32Tile* t, int column) where TRows : struct, ICount where TWide : struct, IFlag
    {
        long line = t->Width;
        Vector256<float> s0 = Vector256.Load(t->Start + column), s1 = TWide.Value ? Vector256.Load(t->Start + column + 8) : default;
        Vector256<float> p0 = s0, q0 = s1;
        Vector256<float> p1 = s0, q1 = s1;
        Vector256<float> p2 = s0, q2 = s1;
        Vector256<float> p3 = s0, q3 = s1;
        Vector256<float> p4 = s0, q4 = s1;
        Vector256<float> p5 = s0, q5 = s1;
        long* at = t->XOffsets;
        // Where the other pixels are, from the first one.
        nint o1 = (nint)(at[1] - at[0]);
        var o2 = TRows.Count > 2 ? (nint)(at[2] - at[0]) : 0;
        var o3 = TRows.Count > 3 ? (nint)(at[3] - at[0]) : 0;
        var o4 = TRows.Count > 4 ? (nint)(at[4] - at[0]) : 0;
        var o5 = TRows.Count > 5 ? (nint)(at[5] - at[0]) : 0;
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
                    Vector256<float> w0 = Vector256.Load(w), w1 = TWide.Value ? Vector256.Load(w + 8) : default, v;
                    v = Vector256.Create(*(float*)x);
                    p0 = Vector256.FusedMultiplyAdd(w0, v, p0);
                    if (TWide.Value) q0 = Vector256.FusedMultiplyAdd(w1, v, q0);
                    v = Vector256.Create(*(float*)(x + o1));
                    p1 = Vector256.FusedMultiplyAdd(w0, v, p1);
                    if (TWide.Value) q1 = Vector256.FusedMultiplyAdd(w1, v, q1);
                    if (TRows.Count > 2)
                    {
                        v = Vector256.Create(*(float*)(x + o2));
                        p2 = Vector256.FusedMultiplyAdd(w0, v, p2);
                        if (TWide.Value) q2 = Vector256.FusedMultiplyAdd(w1, v, q2);
                    }
                    if (TRows.Count > 3)
                    {
                        v = Vector256.Create(*(float*)(x + o3));
                        p3 = Vector256.FusedMultiplyAdd(w0, v, p3);
                        if (TWide.Value) q3 = Vector256.FusedMultiplyAdd(w1, v, q3);
                    }
                    if (TRows.Count > 4)
                    {
                        v = Vector256.Create(*(float*)(x + o4));
                        p4 = Vector256.FusedMultiplyAdd(w0, v, p4);
                        if (TWide.Value) q4 = Vector256.FusedMultiplyAdd(w1, v, q4);
                    }
                    if (TRows.Count > 5)
                    {
                        v = Vector256.Create(*(float*)(x + o5));
                        p5 = Vector256.FusedMultiplyAdd(w0, v, p5);
                        if (TWide.Value) q5 = Vector256.FusedMultiplyAdd(w1, v, q5);
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
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TWide>(ConvolutionF32Tile* t, int row, int column, Vector256<float> left, Vector256<float> right) where TWide : struct, IFlag
    {
        if (t->Residual != null)
        {
            var residual = t->Residual + t->ResidualOffsets[row] + column;
            left += Vector256.Load(residual);
            if (TWide.Value) right += Vector256.Load(residual + 8);
        }
        Vector256<float> low = Vector256.Create(t->Minimum), high = Vector256.Create(t->Maximum);
        var y = t->Y + t->YOffsets[row] + column;
        var columns = t->Columns - column;
        // Not a number stays one: the native minimum and maximum give their second operand then.
        left = Vector256.MinNative(high, Vector256.MaxNative(low, left));
        if (TWide.Value)
        {
            left.Store(y);
            right = Vector256.MinNative(high, Vector256.MaxNative(low, right));
            if (columns >= 16) right.Store(y + 8);
            else Avx.MaskStore(y + 8, Mask(columns - 8), right);
        }
        else if (columns == 8) left.Store(y);
        else Avx.MaskStore(y, Mask(columns), left);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Mask(int columns) => Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(columns)).AsSingle();
}
