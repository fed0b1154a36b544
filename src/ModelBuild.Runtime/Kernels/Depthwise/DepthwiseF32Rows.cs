using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>Kernel rows of 3 and 5 taps that are as far apart as output pixels are, or half as far: a column of inputs is loaded once and goes into the sums of
/// all pixels that see it.</summary>
internal static unsafe partial class DepthwiseF32
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Three<L, V, N>(DepthwiseF32Tile* t) where L : struct, ILanes<V> where V : unmanaged where N : struct, ICount
    {
        V mask = L.Mask(t->Lanes), start = L.Load(t->Start);
        var step = t->TapX;
        for (long row = 0; row < t->Rows; row++)
        {
            var x = t->X + row * t->XRow;
            var y = t->Y + row * t->YRow;
            var residual = t->Residual == null ? null : t->Residual + row * t->ResidualRow;
            for (var group = t->Groups; group > 0; group--)
            {
                V s0 = start, s1 = start, s2 = start, s3 = start, s4 = start, s5 = start, s6 = start,
                    s7 = start, s8 = start, s9 = start, s10 = start, s11 = start, s12 = start, s13 = start;
                var w = t->W;
                var line = x;
                for (var ty = t->TapsY; ty > 0; ty--, line += t->TapY, w += 3 * DepthwiseF32Packing.Block)
                {
                    V w0 = L.Load(w), w1 = L.Load(w + DepthwiseF32Packing.Block), w2 = L.Load(w + 2 * DepthwiseF32Packing.Block), v;
                    var c = line;
                    v = L.Load((float*)c);
                    s0 = L.MultiplyAdd(v, w0, s0);
                    c += step;
                    v = L.Load((float*)c);
                    s0 = L.MultiplyAdd(v, w1, s0);
                    if (N.Count > 1) s1 = L.MultiplyAdd(v, w0, s1);
                    c += step;
                    v = L.Load((float*)c);
                    s0 = L.MultiplyAdd(v, w2, s0);
                    if (N.Count > 1) s1 = L.MultiplyAdd(v, w1, s1);
                    if (N.Count > 2) s2 = L.MultiplyAdd(v, w0, s2);
                    if (N.Count > 1)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s1 = L.MultiplyAdd(v, w2, s1);
                        if (N.Count > 2) s2 = L.MultiplyAdd(v, w1, s2);
                        if (N.Count > 3) s3 = L.MultiplyAdd(v, w0, s3);
                    }
                    if (N.Count > 2)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s2 = L.MultiplyAdd(v, w2, s2);
                        if (N.Count > 3) s3 = L.MultiplyAdd(v, w1, s3);
                        if (N.Count > 4) s4 = L.MultiplyAdd(v, w0, s4);
                    }
                    if (N.Count > 3)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s3 = L.MultiplyAdd(v, w2, s3);
                        if (N.Count > 4) s4 = L.MultiplyAdd(v, w1, s4);
                        if (N.Count > 5) s5 = L.MultiplyAdd(v, w0, s5);
                    }
                    if (N.Count > 4)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s4 = L.MultiplyAdd(v, w2, s4);
                        if (N.Count > 5) s5 = L.MultiplyAdd(v, w1, s5);
                        if (N.Count > 6) s6 = L.MultiplyAdd(v, w0, s6);
                    }
                    if (N.Count > 5)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s5 = L.MultiplyAdd(v, w2, s5);
                        if (N.Count > 6) s6 = L.MultiplyAdd(v, w1, s6);
                        if (N.Count > 7) s7 = L.MultiplyAdd(v, w0, s7);
                    }
                    if (N.Count > 6)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s6 = L.MultiplyAdd(v, w2, s6);
                        if (N.Count > 7) s7 = L.MultiplyAdd(v, w1, s7);
                        if (N.Count > 8) s8 = L.MultiplyAdd(v, w0, s8);
                    }
                    if (N.Count > 7)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s7 = L.MultiplyAdd(v, w2, s7);
                        if (N.Count > 8) s8 = L.MultiplyAdd(v, w1, s8);
                        if (N.Count > 9) s9 = L.MultiplyAdd(v, w0, s9);
                    }
                    if (N.Count > 8)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s8 = L.MultiplyAdd(v, w2, s8);
                        if (N.Count > 9) s9 = L.MultiplyAdd(v, w1, s9);
                        if (N.Count > 10) s10 = L.MultiplyAdd(v, w0, s10);
                    }
                    if (N.Count > 9)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s9 = L.MultiplyAdd(v, w2, s9);
                        if (N.Count > 10) s10 = L.MultiplyAdd(v, w1, s10);
                        if (N.Count > 11) s11 = L.MultiplyAdd(v, w0, s11);
                    }
                    if (N.Count > 10)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s10 = L.MultiplyAdd(v, w2, s10);
                        if (N.Count > 11) s11 = L.MultiplyAdd(v, w1, s11);
                        if (N.Count > 12) s12 = L.MultiplyAdd(v, w0, s12);
                    }
                    if (N.Count > 11)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s11 = L.MultiplyAdd(v, w2, s11);
                        if (N.Count > 12) s12 = L.MultiplyAdd(v, w1, s12);
                        if (N.Count > 13) s13 = L.MultiplyAdd(v, w0, s13);
                    }
                    if (N.Count > 12)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s12 = L.MultiplyAdd(v, w2, s12);
                        if (N.Count > 13) s13 = L.MultiplyAdd(v, w1, s13);
                    }
                    if (N.Count > 13)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s13 = L.MultiplyAdd(v, w2, s13);
                    }
                }
                Ahead<N>(line, t->XStep);
                Store<L, V, N>(t, y, residual, mask, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13);
                x += N.Count * t->XStep;
                y += N.Count * t->YPixel;
                if (residual != null) residual += N.Count * t->ResidualPixel;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ThreeByTwo<L, V, N>(DepthwiseF32Tile* t) where L : struct, ILanes<V> where V : unmanaged where N : struct, ICount
    {
        V mask = L.Mask(t->Lanes), start = L.Load(t->Start);
        var step = t->TapX;
        for (long row = 0; row < t->Rows; row++)
        {
            var x = t->X + row * t->XRow;
            var y = t->Y + row * t->YRow;
            var residual = t->Residual == null ? null : t->Residual + row * t->ResidualRow;
            for (var group = t->Groups; group > 0; group--)
            {
                V s0 = start, s1 = start, s2 = start, s3 = start, s4 = start, s5 = start, s6 = start,
                    s7 = start, s8 = start, s9 = start, s10 = start, s11 = start, s12 = start, s13 = start;
                var w = t->W;
                var line = x;
                for (var ty = t->TapsY; ty > 0; ty--, line += t->TapY, w += 3 * DepthwiseF32Packing.Block)
                {
                    V w0 = L.Load(w), w1 = L.Load(w + DepthwiseF32Packing.Block), w2 = L.Load(w + 2 * DepthwiseF32Packing.Block), v;
                    var c = line;
                    v = L.Load((float*)c);
                    s0 = L.MultiplyAdd(v, w0, s0);
                    c += step;
                    v = L.Load((float*)c);
                    s0 = L.MultiplyAdd(v, w1, s0);
                    c += step;
                    v = L.Load((float*)c);
                    s0 = L.MultiplyAdd(v, w2, s0);
                    if (N.Count > 1) s1 = L.MultiplyAdd(v, w0, s1);
                    if (N.Count > 1)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s1 = L.MultiplyAdd(v, w1, s1);
                        c += step;
                        v = L.Load((float*)c);
                        s1 = L.MultiplyAdd(v, w2, s1);
                        if (N.Count > 2) s2 = L.MultiplyAdd(v, w0, s2);
                    }
                    if (N.Count > 2)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s2 = L.MultiplyAdd(v, w1, s2);
                        c += step;
                        v = L.Load((float*)c);
                        s2 = L.MultiplyAdd(v, w2, s2);
                        if (N.Count > 3) s3 = L.MultiplyAdd(v, w0, s3);
                    }
                    if (N.Count > 3)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s3 = L.MultiplyAdd(v, w1, s3);
                        c += step;
                        v = L.Load((float*)c);
                        s3 = L.MultiplyAdd(v, w2, s3);
                        if (N.Count > 4) s4 = L.MultiplyAdd(v, w0, s4);
                    }
                    if (N.Count > 4)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s4 = L.MultiplyAdd(v, w1, s4);
                        c += step;
                        v = L.Load((float*)c);
                        s4 = L.MultiplyAdd(v, w2, s4);
                        if (N.Count > 5) s5 = L.MultiplyAdd(v, w0, s5);
                    }
                    if (N.Count > 5)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s5 = L.MultiplyAdd(v, w1, s5);
                        c += step;
                        v = L.Load((float*)c);
                        s5 = L.MultiplyAdd(v, w2, s5);
                        if (N.Count > 6) s6 = L.MultiplyAdd(v, w0, s6);
                    }
                    if (N.Count > 6)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s6 = L.MultiplyAdd(v, w1, s6);
                        c += step;
                        v = L.Load((float*)c);
                        s6 = L.MultiplyAdd(v, w2, s6);
                        if (N.Count > 7) s7 = L.MultiplyAdd(v, w0, s7);
                    }
                    if (N.Count > 7)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s7 = L.MultiplyAdd(v, w1, s7);
                        c += step;
                        v = L.Load((float*)c);
                        s7 = L.MultiplyAdd(v, w2, s7);
                        if (N.Count > 8) s8 = L.MultiplyAdd(v, w0, s8);
                    }
                    if (N.Count > 8)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s8 = L.MultiplyAdd(v, w1, s8);
                        c += step;
                        v = L.Load((float*)c);
                        s8 = L.MultiplyAdd(v, w2, s8);
                        if (N.Count > 9) s9 = L.MultiplyAdd(v, w0, s9);
                    }
                    if (N.Count > 9)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s9 = L.MultiplyAdd(v, w1, s9);
                        c += step;
                        v = L.Load((float*)c);
                        s9 = L.MultiplyAdd(v, w2, s9);
                        if (N.Count > 10) s10 = L.MultiplyAdd(v, w0, s10);
                    }
                    if (N.Count > 10)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s10 = L.MultiplyAdd(v, w1, s10);
                        c += step;
                        v = L.Load((float*)c);
                        s10 = L.MultiplyAdd(v, w2, s10);
                        if (N.Count > 11) s11 = L.MultiplyAdd(v, w0, s11);
                    }
                    if (N.Count > 11)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s11 = L.MultiplyAdd(v, w1, s11);
                        c += step;
                        v = L.Load((float*)c);
                        s11 = L.MultiplyAdd(v, w2, s11);
                        if (N.Count > 12) s12 = L.MultiplyAdd(v, w0, s12);
                    }
                    if (N.Count > 12)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s12 = L.MultiplyAdd(v, w1, s12);
                        c += step;
                        v = L.Load((float*)c);
                        s12 = L.MultiplyAdd(v, w2, s12);
                        if (N.Count > 13) s13 = L.MultiplyAdd(v, w0, s13);
                    }
                    if (N.Count > 13)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s13 = L.MultiplyAdd(v, w1, s13);
                        c += step;
                        v = L.Load((float*)c);
                        s13 = L.MultiplyAdd(v, w2, s13);
                    }
                }
                Ahead<N>(line, t->XStep);
                Store<L, V, N>(t, y, residual, mask, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13);
                x += N.Count * t->XStep;
                y += N.Count * t->YPixel;
                if (residual != null) residual += N.Count * t->ResidualPixel;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Five<L, V, N>(DepthwiseF32Tile* t) where L : struct, ILanes<V> where V : unmanaged where N : struct, ICount
    {
        V mask = L.Mask(t->Lanes), start = L.Load(t->Start);
        var step = t->TapX;
        for (long row = 0; row < t->Rows; row++)
        {
            var x = t->X + row * t->XRow;
            var y = t->Y + row * t->YRow;
            var residual = t->Residual == null ? null : t->Residual + row * t->ResidualRow;
            for (var group = t->Groups; group > 0; group--)
            {
                V s0 = start, s1 = start, s2 = start, s3 = start, s4 = start, s5 = start, s6 = start,
                    s7 = start, s8 = start, s9 = start, s10 = start, s11 = start, s12 = start, s13 = start;
                var w = t->W;
                var line = x;
                for (var ty = t->TapsY; ty > 0; ty--, line += t->TapY, w += 5 * DepthwiseF32Packing.Block)
                {
                    V w0 = L.Load(w),
                        w1 = L.Load(w + DepthwiseF32Packing.Block),
                        w2 = L.Load(w + 2 * DepthwiseF32Packing.Block),
                        w3 = L.Load(w + 3 * DepthwiseF32Packing.Block),
                        w4 = L.Load(w + 4 * DepthwiseF32Packing.Block), v;
                    var c = line;
                    v = L.Load((float*)c);
                    s0 = L.MultiplyAdd(v, w0, s0);
                    c += step;
                    v = L.Load((float*)c);
                    s0 = L.MultiplyAdd(v, w1, s0);
                    if (N.Count > 1) s1 = L.MultiplyAdd(v, w0, s1);
                    c += step;
                    v = L.Load((float*)c);
                    s0 = L.MultiplyAdd(v, w2, s0);
                    if (N.Count > 1) s1 = L.MultiplyAdd(v, w1, s1);
                    if (N.Count > 2) s2 = L.MultiplyAdd(v, w0, s2);
                    c += step;
                    v = L.Load((float*)c);
                    s0 = L.MultiplyAdd(v, w3, s0);
                    if (N.Count > 1) s1 = L.MultiplyAdd(v, w2, s1);
                    if (N.Count > 2) s2 = L.MultiplyAdd(v, w1, s2);
                    if (N.Count > 3) s3 = L.MultiplyAdd(v, w0, s3);
                    c += step;
                    v = L.Load((float*)c);
                    s0 = L.MultiplyAdd(v, w4, s0);
                    if (N.Count > 1) s1 = L.MultiplyAdd(v, w3, s1);
                    if (N.Count > 2) s2 = L.MultiplyAdd(v, w2, s2);
                    if (N.Count > 3) s3 = L.MultiplyAdd(v, w1, s3);
                    if (N.Count > 4) s4 = L.MultiplyAdd(v, w0, s4);
                    if (N.Count > 1)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s1 = L.MultiplyAdd(v, w4, s1);
                        if (N.Count > 2) s2 = L.MultiplyAdd(v, w3, s2);
                        if (N.Count > 3) s3 = L.MultiplyAdd(v, w2, s3);
                        if (N.Count > 4) s4 = L.MultiplyAdd(v, w1, s4);
                        if (N.Count > 5) s5 = L.MultiplyAdd(v, w0, s5);
                    }
                    if (N.Count > 2)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s2 = L.MultiplyAdd(v, w4, s2);
                        if (N.Count > 3) s3 = L.MultiplyAdd(v, w3, s3);
                        if (N.Count > 4) s4 = L.MultiplyAdd(v, w2, s4);
                        if (N.Count > 5) s5 = L.MultiplyAdd(v, w1, s5);
                        if (N.Count > 6) s6 = L.MultiplyAdd(v, w0, s6);
                    }
                    if (N.Count > 3)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s3 = L.MultiplyAdd(v, w4, s3);
                        if (N.Count > 4) s4 = L.MultiplyAdd(v, w3, s4);
                        if (N.Count > 5) s5 = L.MultiplyAdd(v, w2, s5);
                        if (N.Count > 6) s6 = L.MultiplyAdd(v, w1, s6);
                        if (N.Count > 7) s7 = L.MultiplyAdd(v, w0, s7);
                    }
                    if (N.Count > 4)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s4 = L.MultiplyAdd(v, w4, s4);
                        if (N.Count > 5) s5 = L.MultiplyAdd(v, w3, s5);
                        if (N.Count > 6) s6 = L.MultiplyAdd(v, w2, s6);
                        if (N.Count > 7) s7 = L.MultiplyAdd(v, w1, s7);
                        if (N.Count > 8) s8 = L.MultiplyAdd(v, w0, s8);
                    }
                    if (N.Count > 5)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s5 = L.MultiplyAdd(v, w4, s5);
                        if (N.Count > 6) s6 = L.MultiplyAdd(v, w3, s6);
                        if (N.Count > 7) s7 = L.MultiplyAdd(v, w2, s7);
                        if (N.Count > 8) s8 = L.MultiplyAdd(v, w1, s8);
                        if (N.Count > 9) s9 = L.MultiplyAdd(v, w0, s9);
                    }
                    if (N.Count > 6)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s6 = L.MultiplyAdd(v, w4, s6);
                        if (N.Count > 7) s7 = L.MultiplyAdd(v, w3, s7);
                        if (N.Count > 8) s8 = L.MultiplyAdd(v, w2, s8);
                        if (N.Count > 9) s9 = L.MultiplyAdd(v, w1, s9);
                        if (N.Count > 10) s10 = L.MultiplyAdd(v, w0, s10);
                    }
                    if (N.Count > 7)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s7 = L.MultiplyAdd(v, w4, s7);
                        if (N.Count > 8) s8 = L.MultiplyAdd(v, w3, s8);
                        if (N.Count > 9) s9 = L.MultiplyAdd(v, w2, s9);
                        if (N.Count > 10) s10 = L.MultiplyAdd(v, w1, s10);
                        if (N.Count > 11) s11 = L.MultiplyAdd(v, w0, s11);
                    }
                    if (N.Count > 8)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s8 = L.MultiplyAdd(v, w4, s8);
                        if (N.Count > 9) s9 = L.MultiplyAdd(v, w3, s9);
                        if (N.Count > 10) s10 = L.MultiplyAdd(v, w2, s10);
                        if (N.Count > 11) s11 = L.MultiplyAdd(v, w1, s11);
                        if (N.Count > 12) s12 = L.MultiplyAdd(v, w0, s12);
                    }
                    if (N.Count > 9)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s9 = L.MultiplyAdd(v, w4, s9);
                        if (N.Count > 10) s10 = L.MultiplyAdd(v, w3, s10);
                        if (N.Count > 11) s11 = L.MultiplyAdd(v, w2, s11);
                        if (N.Count > 12) s12 = L.MultiplyAdd(v, w1, s12);
                        if (N.Count > 13) s13 = L.MultiplyAdd(v, w0, s13);
                    }
                    if (N.Count > 10)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s10 = L.MultiplyAdd(v, w4, s10);
                        if (N.Count > 11) s11 = L.MultiplyAdd(v, w3, s11);
                        if (N.Count > 12) s12 = L.MultiplyAdd(v, w2, s12);
                        if (N.Count > 13) s13 = L.MultiplyAdd(v, w1, s13);
                    }
                    if (N.Count > 11)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s11 = L.MultiplyAdd(v, w4, s11);
                        if (N.Count > 12) s12 = L.MultiplyAdd(v, w3, s12);
                        if (N.Count > 13) s13 = L.MultiplyAdd(v, w2, s13);
                    }
                    if (N.Count > 12)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s12 = L.MultiplyAdd(v, w4, s12);
                        if (N.Count > 13) s13 = L.MultiplyAdd(v, w3, s13);
                    }
                    if (N.Count > 13)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s13 = L.MultiplyAdd(v, w4, s13);
                    }
                }
                Ahead<N>(line, t->XStep);
                Store<L, V, N>(t, y, residual, mask, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13);
                x += N.Count * t->XStep;
                y += N.Count * t->YPixel;
                if (residual != null) residual += N.Count * t->ResidualPixel;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FiveByTwo<L, V, N>(DepthwiseF32Tile* t) where L : struct, ILanes<V> where V : unmanaged where N : struct, ICount
    {
        V mask = L.Mask(t->Lanes), start = L.Load(t->Start);
        var step = t->TapX;
        for (long row = 0; row < t->Rows; row++)
        {
            var x = t->X + row * t->XRow;
            var y = t->Y + row * t->YRow;
            var residual = t->Residual == null ? null : t->Residual + row * t->ResidualRow;
            for (var group = t->Groups; group > 0; group--)
            {
                V s0 = start, s1 = start, s2 = start, s3 = start, s4 = start, s5 = start, s6 = start,
                    s7 = start, s8 = start, s9 = start, s10 = start, s11 = start, s12 = start, s13 = start;
                var w = t->W;
                var line = x;
                for (var ty = t->TapsY; ty > 0; ty--, line += t->TapY, w += 5 * DepthwiseF32Packing.Block)
                {
                    V w0 = L.Load(w),
                        w1 = L.Load(w + DepthwiseF32Packing.Block),
                        w2 = L.Load(w + 2 * DepthwiseF32Packing.Block),
                        w3 = L.Load(w + 3 * DepthwiseF32Packing.Block),
                        w4 = L.Load(w + 4 * DepthwiseF32Packing.Block), v;
                    var c = line;
                    v = L.Load((float*)c);
                    s0 = L.MultiplyAdd(v, w0, s0);
                    c += step;
                    v = L.Load((float*)c);
                    s0 = L.MultiplyAdd(v, w1, s0);
                    c += step;
                    v = L.Load((float*)c);
                    s0 = L.MultiplyAdd(v, w2, s0);
                    if (N.Count > 1) s1 = L.MultiplyAdd(v, w0, s1);
                    c += step;
                    v = L.Load((float*)c);
                    s0 = L.MultiplyAdd(v, w3, s0);
                    if (N.Count > 1) s1 = L.MultiplyAdd(v, w1, s1);
                    c += step;
                    v = L.Load((float*)c);
                    s0 = L.MultiplyAdd(v, w4, s0);
                    if (N.Count > 1) s1 = L.MultiplyAdd(v, w2, s1);
                    if (N.Count > 2) s2 = L.MultiplyAdd(v, w0, s2);
                    if (N.Count > 1)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s1 = L.MultiplyAdd(v, w3, s1);
                        if (N.Count > 2) s2 = L.MultiplyAdd(v, w1, s2);
                        c += step;
                        v = L.Load((float*)c);
                        s1 = L.MultiplyAdd(v, w4, s1);
                        if (N.Count > 2) s2 = L.MultiplyAdd(v, w2, s2);
                        if (N.Count > 3) s3 = L.MultiplyAdd(v, w0, s3);
                    }
                    if (N.Count > 2)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s2 = L.MultiplyAdd(v, w3, s2);
                        if (N.Count > 3) s3 = L.MultiplyAdd(v, w1, s3);
                        c += step;
                        v = L.Load((float*)c);
                        s2 = L.MultiplyAdd(v, w4, s2);
                        if (N.Count > 3) s3 = L.MultiplyAdd(v, w2, s3);
                        if (N.Count > 4) s4 = L.MultiplyAdd(v, w0, s4);
                    }
                    if (N.Count > 3)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s3 = L.MultiplyAdd(v, w3, s3);
                        if (N.Count > 4) s4 = L.MultiplyAdd(v, w1, s4);
                        c += step;
                        v = L.Load((float*)c);
                        s3 = L.MultiplyAdd(v, w4, s3);
                        if (N.Count > 4) s4 = L.MultiplyAdd(v, w2, s4);
                        if (N.Count > 5) s5 = L.MultiplyAdd(v, w0, s5);
                    }
                    if (N.Count > 4)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s4 = L.MultiplyAdd(v, w3, s4);
                        if (N.Count > 5) s5 = L.MultiplyAdd(v, w1, s5);
                        c += step;
                        v = L.Load((float*)c);
                        s4 = L.MultiplyAdd(v, w4, s4);
                        if (N.Count > 5) s5 = L.MultiplyAdd(v, w2, s5);
                        if (N.Count > 6) s6 = L.MultiplyAdd(v, w0, s6);
                    }
                    if (N.Count > 5)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s5 = L.MultiplyAdd(v, w3, s5);
                        if (N.Count > 6) s6 = L.MultiplyAdd(v, w1, s6);
                        c += step;
                        v = L.Load((float*)c);
                        s5 = L.MultiplyAdd(v, w4, s5);
                        if (N.Count > 6) s6 = L.MultiplyAdd(v, w2, s6);
                        if (N.Count > 7) s7 = L.MultiplyAdd(v, w0, s7);
                    }
                    if (N.Count > 6)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s6 = L.MultiplyAdd(v, w3, s6);
                        if (N.Count > 7) s7 = L.MultiplyAdd(v, w1, s7);
                        c += step;
                        v = L.Load((float*)c);
                        s6 = L.MultiplyAdd(v, w4, s6);
                        if (N.Count > 7) s7 = L.MultiplyAdd(v, w2, s7);
                        if (N.Count > 8) s8 = L.MultiplyAdd(v, w0, s8);
                    }
                    if (N.Count > 7)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s7 = L.MultiplyAdd(v, w3, s7);
                        if (N.Count > 8) s8 = L.MultiplyAdd(v, w1, s8);
                        c += step;
                        v = L.Load((float*)c);
                        s7 = L.MultiplyAdd(v, w4, s7);
                        if (N.Count > 8) s8 = L.MultiplyAdd(v, w2, s8);
                        if (N.Count > 9) s9 = L.MultiplyAdd(v, w0, s9);
                    }
                    if (N.Count > 8)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s8 = L.MultiplyAdd(v, w3, s8);
                        if (N.Count > 9) s9 = L.MultiplyAdd(v, w1, s9);
                        c += step;
                        v = L.Load((float*)c);
                        s8 = L.MultiplyAdd(v, w4, s8);
                        if (N.Count > 9) s9 = L.MultiplyAdd(v, w2, s9);
                        if (N.Count > 10) s10 = L.MultiplyAdd(v, w0, s10);
                    }
                    if (N.Count > 9)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s9 = L.MultiplyAdd(v, w3, s9);
                        if (N.Count > 10) s10 = L.MultiplyAdd(v, w1, s10);
                        c += step;
                        v = L.Load((float*)c);
                        s9 = L.MultiplyAdd(v, w4, s9);
                        if (N.Count > 10) s10 = L.MultiplyAdd(v, w2, s10);
                        if (N.Count > 11) s11 = L.MultiplyAdd(v, w0, s11);
                    }
                    if (N.Count > 10)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s10 = L.MultiplyAdd(v, w3, s10);
                        if (N.Count > 11) s11 = L.MultiplyAdd(v, w1, s11);
                        c += step;
                        v = L.Load((float*)c);
                        s10 = L.MultiplyAdd(v, w4, s10);
                        if (N.Count > 11) s11 = L.MultiplyAdd(v, w2, s11);
                        if (N.Count > 12) s12 = L.MultiplyAdd(v, w0, s12);
                    }
                    if (N.Count > 11)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s11 = L.MultiplyAdd(v, w3, s11);
                        if (N.Count > 12) s12 = L.MultiplyAdd(v, w1, s12);
                        c += step;
                        v = L.Load((float*)c);
                        s11 = L.MultiplyAdd(v, w4, s11);
                        if (N.Count > 12) s12 = L.MultiplyAdd(v, w2, s12);
                        if (N.Count > 13) s13 = L.MultiplyAdd(v, w0, s13);
                    }
                    if (N.Count > 12)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s12 = L.MultiplyAdd(v, w3, s12);
                        if (N.Count > 13) s13 = L.MultiplyAdd(v, w1, s13);
                        c += step;
                        v = L.Load((float*)c);
                        s12 = L.MultiplyAdd(v, w4, s12);
                        if (N.Count > 13) s13 = L.MultiplyAdd(v, w2, s13);
                    }
                    if (N.Count > 13)
                    {
                        c += step;
                        v = L.Load((float*)c);
                        s13 = L.MultiplyAdd(v, w3, s13);
                        c += step;
                        v = L.Load((float*)c);
                        s13 = L.MultiplyAdd(v, w4, s13);
                    }
                }
                Ahead<N>(line, t->XStep);
                Store<L, V, N>(t, y, residual, mask, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13);
                x += N.Count * t->XStep;
                y += N.Count * t->YPixel;
                if (residual != null) residual += N.Count * t->ResidualPixel;
            }
        }
    }
}
