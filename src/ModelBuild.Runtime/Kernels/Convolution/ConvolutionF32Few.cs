using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelBuild.Kernels;

/// <summary>
/// The float convolution to a few channels: they would leave most lanes of a panel idle, so that lanes are input channels here, and each sum is added up across
/// its vector at the end. The weights are placed for it anew by each call: they are few too.
/// </summary>
internal static unsafe class ConvolutionF32Few
{
    private const long MostChannels = 8, MostFloats = 16 * 1024, Widest = 16;

    /// <summary>Floats of scratch memory that the weights may take, whatever the vectors; none where there are too many channels or weights.</summary>
    public static long Floats(in ConvolutionF32Arguments a)
    {
        if (a.Groups != 1 || a.OutputChannels == 0 || a.OutputChannels > MostChannels) return 0;
        long channels = a.OutputChannels, height = a.KernelHeight, width = a.KernelWidth;
        var floats = (Int128)channels * height * width * ((a.InputChannels + Widest - 1) / Widest * Widest);
        return floats > MostFloats ? 0 : (long)floats;
    }

    /// <summary>Whether it takes less time than panels do: eighths of a multiply-add here, and for adding up, against those of a panel.</summary>
    public static bool Pays(long lanes, long channels, long taps, long run) =>
        8 * taps * run * (Widest / Math.Max(lanes, 8)) > 5 * channels * taps * ((run + lanes - 1) / lanes) + 40 * channels + 30;

    /// <summary>Places the weights of a narrow panel: vector after vector of a tap's inputs, each for all channels; lanes beyond the last input are
    /// zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Place(float* target, float* panel, int channels, long taps, long run, int lanes)
    {
        for (long tap = 0; tap < taps; tap++, panel += run * Panels.Narrow)
        {
            for (long first = 0; first < run; first += lanes)
            {
                for (var c = 0; c < channels; c++)
                    for (var i = 0; i < lanes; i++) *target++ = first + i < run ? panel[(first + i) * Panels.Narrow + c] : 0;
            }
        }
    }

    /// <summary>Computes the pixels of a tile.</summary>
    public static void Run<L, V>(ConvolutionF32Tile* t, float* weights, long count) where L : struct, ILanes<V> where V : unmanaged
    {
        switch (t->Columns)
        {
            case 1: Run<L, V, Rows1>(t, weights, count); break;
            case 2: Run<L, V, Rows2>(t, weights, count); break;
            case 3: Run<L, V, Rows3>(t, weights, count); break;
            case 4: Run<L, V, Rows4>(t, weights, count); break;
            case 5: Run<L, V, Rows5>(t, weights, count); break;
            case 6: Run<L, V, Rows6>(t, weights, count); break;
            case 7: Run<L, V, Rows7>(t, weights, count); break;
            default: Run<L, V, Rows8>(t, weights, count); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<L, V, N>(ConvolutionF32Tile* t, float* weights, long count) where L : struct, ILanes<V> where V : unmanaged where N : struct, ICount
    {
        var part = (int)(t->Run % L.Count);
        V zero = L.Create(0), mask = part == 0 ? zero : L.Mask(part);
        // Locals: what is stored might change the tile, for all that the compiler knows.
        long whole = t->Run - part, tapsY = t->TapsY, tapsX = t->TapsX, tapX = t->TapX, tapY = t->TapY;
        long* xOffsets = t->XOffsets, yOffsets = t->YOffsets, residualOffsets = t->ResidualOffsets;
        var inputs = t->X;
        float* outputs = t->Y, residuals = t->Residual;
        Vector128<float> start = Vector128.Load(t->Start), further = N.Count > 4 ? Vector128.Load(t->Start + 4) : default;
        Vector128<float> low = Vector128.Create(t->Minimum), high = Vector128.Create(t->Maximum);
        for (long pixel = 0; pixel < count; pixel++)
        {
            V s0 = zero, s1 = zero, s2 = zero, s3 = zero, s4 = zero, s5 = zero, s6 = zero, s7 = zero;
            var w = weights;
            var row = inputs + xOffsets[pixel];
            for (var ty = tapsY; ty > 0; ty--, row += tapY)
            {
                var tap = row;
                for (var tx = tapsX; tx > 0; tx--, tap += tapX)
                {
                    float* x = (float*)tap, end = x + whole;
                    for (; x < end; x += L.Count, w += N.Count * L.Count)
                        Add<L, V, N>(L.Load(x), w, ref s0, ref s1, ref s2, ref s3, ref s4, ref s5, ref s6, ref s7);
                    if (part == 0) continue;
                    // What lies behind the last input may not even be a number.
                    Add<L, V, N>(L.LoadFirst(x, mask, part), w, ref s0, ref s1, ref s2, ref s3, ref s4, ref s5, ref s6, ref s7);
                    w += N.Count * L.Count;
                }
            }
            var y = outputs + yOffsets[pixel];
            var residual = residuals == null ? null : residuals + residualOffsets[pixel];
            var sums = Sum(L.Fold(s0));
            if (N.Count > 1) sums = sums.WithElement(1, Sum(L.Fold(s1)).ToScalar());
            if (N.Count > 2) sums = sums.WithElement(2, Sum(L.Fold(s2)).ToScalar());
            if (N.Count > 3) sums = sums.WithElement(3, Sum(L.Fold(s3)).ToScalar());
            Store(y, residual, sums + start, low, high, Math.Min(N.Count, 4));
            if (N.Count <= 4) continue;
            sums = Sum(L.Fold(s4));
            if (N.Count > 5) sums = sums.WithElement(1, Sum(L.Fold(s5)).ToScalar());
            if (N.Count > 6) sums = sums.WithElement(2, Sum(L.Fold(s6)).ToScalar());
            if (N.Count > 7) sums = sums.WithElement(3, Sum(L.Fold(s7)).ToScalar());
            Store(y + 4, residual == null ? null : residual + 4, sums + further, low, high, N.Count - 4);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<L, V, N>(V x, float* w, ref V s0, ref V s1, ref V s2, ref V s3, ref V s4, ref V s5, ref V s6, ref V s7)
        where L : struct, ILanes<V> where V : unmanaged where N : struct, ICount
    {
        s0 = L.MultiplyAdd(x, L.Load(w), s0);
        if (N.Count > 1) s1 = L.MultiplyAdd(x, L.Load(w + L.Count), s1);
        if (N.Count > 2) s2 = L.MultiplyAdd(x, L.Load(w + 2 * L.Count), s2);
        if (N.Count > 3) s3 = L.MultiplyAdd(x, L.Load(w + 3 * L.Count), s3);
        if (N.Count > 4) s4 = L.MultiplyAdd(x, L.Load(w + 4 * L.Count), s4);
        if (N.Count > 5) s5 = L.MultiplyAdd(x, L.Load(w + 5 * L.Count), s5);
        if (N.Count > 6) s6 = L.MultiplyAdd(x, L.Load(w + 6 * L.Count), s6);
        if (N.Count > 7) s7 = L.MultiplyAdd(x, L.Load(w + 7 * L.Count), s7);
    }

    // The sum of all lanes, in each lane.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Sum(Vector128<float> value)
    {
        value += Vector128.Shuffle(value, Vector128.Create(2, 3, 0, 1));
        return value + Vector128.Shuffle(value, Vector128.Create(1, 0, 3, 2));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* y, float* residual, Vector128<float> sums, Vector128<float> low, Vector128<float> high, int count)
    {
        if (residual != null) sums += Vector128.Load(residual);
        sums = Lanes128.AtMost(high, Lanes128.AtLeast(low, sums));
        if (count == 4) sums.Store(y);
        else if (count == 2) Unsafe.WriteUnaligned(y, sums.AsInt64().ToScalar());
        else Lanes128.StoreFirst(y, sums, default, count);
    }
}
