using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelBuild.Kernels;

/// <summary>
/// Largest value or average of windows over channels-last images. X has no border: windows are clipped to the image, and what lies beyond counts as nothing,
/// or, in an average that includes padding, as zeros. A window with anything that is not a number has a maximum that is none either.
/// </summary>
internal unsafe struct PoolF32Arguments : IKernelArguments<PoolF32Arguments>
{
    // Inputs that a tile looks at, about.
    private const long TileWork = 32 * 1024;

    // With fewer tiles than this, several threads share them unevenly: then tiles have fewer channels, whole cache lines of them.
    private const long EnoughTiles = 16, FewestChannels = 64;

    /// <summary>Images, [Images, InputHeight, InputWidth, Channels].</summary>
    public Operand X;
    /// <summary>[Images, OutputHeight, OutputWidth, Channels].</summary>
    public Operand Y;
    public Size Images, InputHeight, InputWidth, OutputHeight, OutputWidth, Channels;
    public Size KernelHeight, KernelWidth, StrideY, StrideX, DilationY, DilationX;
    /// <summary>Rows above the image and pixels to the left of it where windows begin; and, for averages that include padding, how far it reaches below and
    /// to the right.</summary>
    public Size PadTop, PadLeft, PadBottom, PadRight;
    /// <summary>Elements from one pixel of X to the next in a row, from one row to the next, and from one image to the next.</summary>
    public Size XPixel, XRow, XImage;
    public Size YPixel, YRow, YImage;
    /// <summary><see cref="PoolKind"/>.</summary>
    public Size Kind;

    public static Kernel<PoolF32Arguments> Kernel { get; } = new(KernelIds.PoolF32, nameof(PoolF32),
        new("avx512", Lanes512.IsSupported, PoolF32.Select<Lanes512, Vector512<float>>),
        new("avx2", Lanes256.IsSupported, PoolF32.Select<Lanes256, Vector256<float>>),
        new("vector128", true, PoolF32.Select<Lanes128, Vector128<float>>));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Input(ref X, nameof(X), ModelElementType.Float);
        visitor.Output(ref Y, nameof(Y), ModelElementType.Float);
        visitor.Size(ref Images, nameof(Images));
        visitor.Size(ref InputHeight, nameof(InputHeight));
        visitor.Size(ref InputWidth, nameof(InputWidth));
        visitor.Size(ref OutputHeight, nameof(OutputHeight));
        visitor.Size(ref OutputWidth, nameof(OutputWidth));
        visitor.Size(ref Channels, nameof(Channels));
        visitor.Size(ref KernelHeight, nameof(KernelHeight));
        visitor.Size(ref KernelWidth, nameof(KernelWidth));
        visitor.Size(ref StrideY, nameof(StrideY));
        visitor.Size(ref StrideX, nameof(StrideX));
        visitor.Size(ref DilationY, nameof(DilationY));
        visitor.Size(ref DilationX, nameof(DilationX));
        visitor.Size(ref PadTop, nameof(PadTop));
        visitor.Size(ref PadLeft, nameof(PadLeft));
        visitor.Size(ref PadBottom, nameof(PadBottom));
        visitor.Size(ref PadRight, nameof(PadRight));
        visitor.Size(ref XPixel, nameof(XPixel));
        visitor.Size(ref XRow, nameof(XRow));
        visitor.Size(ref XImage, nameof(XImage));
        visitor.Size(ref YPixel, nameof(YPixel));
        visitor.Size(ref YRow, nameof(YRow));
        visitor.Size(ref YImage, nameof(YImage));
        visitor.Size(ref Kind, nameof(Kind));
    }

    public readonly void Check(KernelCheck check)
    {
        check.Present(X, Y);
        check.Sizes(Images, InputHeight, InputWidth, OutputHeight, OutputWidth, Channels, KernelHeight, KernelWidth, PadTop, PadLeft, PadBottom, PadRight,
            XPixel, XRow, XImage, YPixel, YRow, YImage);
        check.InRange(StrideY, 1, int.MaxValue);
        check.InRange(StrideX, 1, int.MaxValue);
        check.InRange(DilationY, 1, int.MaxValue);
        check.InRange(DilationX, 1, int.MaxValue);
        check.InRange(Kind, PoolKind.Maximum, PoolKind.PaddedAverage);
        ImageView.Reach(check, X, (Images, XImage), (InputHeight, XRow), (InputWidth, XPixel), Channels);
        ImageView.Reach(check, Y, (Images, YImage), (OutputHeight, YRow), (OutputWidth, YPixel), Channels);
    }

    public readonly long Tiles => Bands * ChannelBlocks;

    public readonly long Scratch => IsNarrow ? (InputWidth * XPixel + 16) * sizeof(float) : 0;

    public readonly double Work => (double)Images * OutputHeight * OutputWidth * Channels * KernelHeight * KernelWidth;

    /// <summary>So few channels that vectors hold several pixels.</summary>
    internal readonly bool IsNarrow => Channels <= 4 && XPixel <= 8 && KernelHeight > 0;

    /// <summary>Output rows of a tile; the last of an image may have fewer.</summary>
    internal readonly long BandRows => Math.Max(1, TileWork / Math.Max(1, OutputWidth * Channels * KernelHeight * KernelWidth));

    internal readonly long BandsOfImage => OutputWidth == 0 || Channels == 0 ? 0 : DivideUp(OutputHeight, BandRows);

    internal readonly long Bands => Images * BandsOfImage;

    internal readonly long BlockChannels =>
        Bands is > 0 and < EnoughTiles and var bands && Channels > FewestChannels
            ? DivideUp(DivideUp(Channels, Math.Min(DivideUp(EnoughTiles, bands), DivideUp(Channels, FewestChannels))), FewestChannels) * FewestChannels
            : Math.Max(Channels, 1);

    internal readonly long ChannelBlocks => DivideUp(Channels, BlockChannels);

    private static long DivideUp(long value, long by) => (value + by - 1) / by;
}

/// <summary>What <see cref="PoolF32Arguments"/> makes of a window.</summary>
internal static class PoolKind
{
    public const long Maximum = 0;

    /// <summary>The average of what lies in the image.</summary>
    public const long Average = 1;

    /// <summary>The average with zeros for what lies in the padding, not for what lies beyond that.</summary>
    public const long PaddedAverage = 2;
}

/// <summary>What becomes of the elements of a window.</summary>
internal interface IPooling
{
    static abstract float Start { get; }

    static abstract V Add<L, V>(V a, V b) where L : struct, ILanes<V> where V : unmanaged;

    static abstract float Add(float a, float b);

    /// <summary>The result, from the sum and one over the number of elements.</summary>
    static abstract V Finish<L, V>(V sum, V factor) where L : struct, ILanes<V> where V : unmanaged;

    static abstract float Finish(float sum, float factor);
}

internal readonly struct MaximumPooling : IPooling
{
    public static float Start => float.NegativeInfinity;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Add<L, V>(V a, V b) where L : struct, ILanes<V> where V : unmanaged => L.Maximum(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Add(float a, float b) => b > a || float.IsNaN(b) ? b : a;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Finish<L, V>(V sum, V factor) where L : struct, ILanes<V> where V : unmanaged => sum;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Finish(float sum, float factor) => sum;
}

internal readonly struct AveragePooling : IPooling
{
    public static float Start => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Add<L, V>(V a, V b) where L : struct, ILanes<V> where V : unmanaged => L.Add(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Add(float a, float b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Finish<L, V>(V sum, V factor) where L : struct, ILanes<V> where V : unmanaged => L.Multiply(sum, factor);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Finish(float sum, float factor) => sum * factor;
}

/// <summary>
/// Pooling. Vectors hold channels of one pixel. Where channels are few, rows of the window are joined first, in vectors across pixels, and then pixels of the
/// joined row, one by one.
/// </summary>
internal static unsafe class PoolF32
{
    public static delegate*<PoolF32Arguments*, long, long, byte*, void> Select<L, V>(in PoolF32Arguments a) where L : struct, ILanes<V> where V : unmanaged =>
        a.Kind == PoolKind.Maximum ? &Run<MaximumPooling, L, V> : &Run<AveragePooling, L, V>;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<T, L, V>(PoolF32Arguments* a, long first, long last, byte* scratch)
        where T : struct, IPooling where L : struct, ILanes<V> where V : unmanaged
    {
        long blocks = a->ChannelBlocks, blockChannels = a->BlockChannels, bands = a->BandsOfImage, bandRows = a->BandRows, kernel = a->KernelHeight;
        var narrow = a->IsNarrow;
        // Pixels whose windows lie between the left and the right border.
        long within = a->InputWidth - 1 - (a->KernelWidth - 1) * a->DilationX + a->PadLeft;
        long insideEnd = within < 0 ? 0 : Math.Min(a->OutputWidth, within / a->StrideX + 1);
        long inside = Math.Min((a->PadLeft + a->StrideX - 1) / a->StrideX, insideEnd);
        for (var t = first; t < last; t++)
        {
            long band = t / blocks, channel = (t - band * blocks) * blockChannels, image = band / bands, row = (band - image * bands) * bandRows;
            var rowEnd = Math.Min(row + bandRows, a->OutputHeight);
            PoolF32Line line = new() { Channels = Math.Min(blockChannels, a->Channels - channel) };
            for (; row < rowEnd; row++)
            {
                var start = row * a->StrideY - a->PadTop;
                (var tap, line.TapsY) = Clip(start, a->DilationY, kernel, a->InputHeight);
                line.CountY = a->Kind == PoolKind.PaddedAverage ? Clip(start + a->PadTop, a->DilationY, kernel, a->InputHeight + a->PadTop + a->PadBottom).Count
                    : line.TapsY;
                line.X = (float*)a->X + image * a->XImage + (start + tap * a->DilationY) * a->XRow + channel;
                line.Y = (float*)a->Y + image * a->YImage + row * a->YRow + channel;
                if (narrow && line.TapsY > 0)
                {
                    JoinRows<T, L, V>(a, &line, (float*)scratch);
                    for (long pixel = 0; pixel < a->OutputWidth; pixel++) JoinPixels<T>(a, &line, (float*)scratch, pixel);
                    continue;
                }
                Windows<T, L, V>(a, &line, 0, inside);
                if (line.TapsY == 2 && a->KernelWidth == 2) Small<T, L, V, Rows2>(a, &line, inside, insideEnd);
                else if (line.TapsY == 3 && a->KernelWidth == 3) Small<T, L, V, Rows3>(a, &line, inside, insideEnd);
                else Windows<T, L, V>(a, &line, inside, insideEnd);
                Windows<T, L, V>(a, &line, insideEnd, a->OutputWidth);
            }
        }
    }

    // The first tap that lies in the image, and how many do, of a window that begins at a row or pixel.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (long First, long Count) Clip(long start, long dilation, long kernel, long size)
    {
        var first = start < 0 ? (-start + dilation - 1) / dilation : 0;
        var end = start >= size ? 0 : Math.Min(kernel, (size - 1 - start) / dilation + 1);
        return (first, Math.Max(0, end - first));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Factor(PoolF32Arguments* a, PoolF32Line* line, long start, long taps)
    {
        var across = a->Kind != PoolKind.PaddedAverage ? taps
            : Clip(start + a->PadLeft, a->DilationX, a->KernelWidth, a->InputWidth + a->PadLeft + a->PadRight).Count;
        return 1f / Math.Max(across * line->CountY, 1);
    }

    // Windows of any size, clipped at the borders.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Windows<T, L, V>(PoolF32Arguments* a, PoolF32Line* line, long from, long to)
        where T : struct, IPooling where L : struct, ILanes<V> where V : unmanaged
    {
        long channels = line->Channels, tapX = a->DilationX * a->XPixel, tapY = a->DilationY * a->XRow;
        var y = line->Y + from * a->YPixel;
        for (var pixel = from; pixel < to; pixel++, y += a->YPixel)
        {
            var start = pixel * a->StrideX - a->PadLeft;
            var (tap, taps) = Clip(start, a->DilationX, a->KernelWidth, a->InputWidth);
            V factor = L.Create(Factor(a, line, start, taps));
            var x = line->X + (start + tap * a->DilationX) * a->XPixel;
            var rows = taps == 0 ? 0 : line->TapsY;
            long channel = 0;
            for (; channel <= channels - 4 * L.Count; channel += 4 * L.Count)
            {
                V s0 = L.Create(T.Start), s1 = s0, s2 = s0, s3 = s0;
                var top = x + channel;
                for (var ty = rows; ty > 0; ty--, top += tapY)
                {
                    var at = top;
                    for (var tx = taps; tx > 0; tx--, at += tapX)
                    {
                        s0 = T.Add<L, V>(s0, L.Load(at));
                        s1 = T.Add<L, V>(s1, L.Load(at + L.Count));
                        s2 = T.Add<L, V>(s2, L.Load(at + 2 * L.Count));
                        s3 = T.Add<L, V>(s3, L.Load(at + 3 * L.Count));
                    }
                }
                L.Store(y + channel, T.Finish<L, V>(s0, factor));
                L.Store(y + channel + L.Count, T.Finish<L, V>(s1, factor));
                L.Store(y + channel + 2 * L.Count, T.Finish<L, V>(s2, factor));
                L.Store(y + channel + 3 * L.Count, T.Finish<L, V>(s3, factor));
            }
            for (; channel < channels; channel += L.Count)
            {
                // The last vector overlaps the one before, where there is one.
                if (channel > channels - L.Count && channels >= L.Count) channel = channels - L.Count;
                V s = L.Create(T.Start);
                var top = x + channel;
                for (var ty = rows; ty > 0; ty--, top += tapY)
                {
                    var at = top;
                    for (var tx = taps; tx > 0; tx--, at += tapX) s = T.Add<L, V>(s, L.Load(at));
                }
                Store<L, V>(y, channel, channels, T.Finish<L, V>(s, factor));
            }
        }
    }

    // Whole windows of 2x2 or 3x3.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Small<T, L, V, N>(PoolF32Arguments* a, PoolF32Line* line, long from, long to)
        where T : struct, IPooling where L : struct, ILanes<V> where V : unmanaged where N : struct, ICount
    {
        if (from >= to) return;
        long channels = line->Channels, tapX = a->DilationX * a->XPixel, tapY = a->DilationY * a->XRow, step = a->StrideX * a->XPixel, yPixel = a->YPixel;
        V factor = L.Create(Factor(a, line, from * a->StrideX - a->PadLeft, N.Count));
        var top = line->X + (from * a->StrideX - a->PadLeft) * a->XPixel;
        var y = line->Y + from * yPixel;
        for (var pixel = from; pixel < to; pixel++, y += yPixel, top += step)
        {
            for (long channel = 0; channel < channels; channel += L.Count)
            {
                if (channel > channels - L.Count && channels >= L.Count) channel = channels - L.Count;
                var x = top + channel;
                V s = T.Add<L, V>(L.Load(x), L.Load(x + tapX));
                if (N.Count > 2) s = T.Add<L, V>(s, L.Load(x + 2 * tapX));
                x += tapY;
                V u = T.Add<L, V>(L.Load(x), L.Load(x + tapX));
                if (N.Count > 2)
                {
                    u = T.Add<L, V>(u, L.Load(x + 2 * tapX));
                    x += tapY;
                    V v = T.Add<L, V>(T.Add<L, V>(L.Load(x), L.Load(x + tapX)), L.Load(x + 2 * tapX));
                    u = T.Add<L, V>(u, v);
                }
                Store<L, V>(y, channel, channels, T.Finish<L, V>(T.Add<L, V>(s, u), factor));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<L, V>(float* y, long channel, long channels, V value) where L : struct, ILanes<V> where V : unmanaged
    {
        if (channel <= channels - L.Count) L.Store(y + channel, value);
        else L.StoreFirst(y + channel, value, L.Mask((int)(channels - channel)), (int)(channels - channel));
    }

    // Rows of a window, across the whole image. Elements between pixels are joined too, and not used.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void JoinRows<T, L, V>(PoolF32Arguments* a, PoolF32Line* line, float* joined)
        where T : struct, IPooling where L : struct, ILanes<V> where V : unmanaged
    {
        long tapY = a->DilationY * a->XRow, rows = line->TapsY, count = (a->InputWidth - 1) * a->XPixel + a->Channels;
        // Up to a vector is read beyond the last pixel, and as much written to scratch memory.
        for (long i = 0; i < count; i += L.Count)
        {
            var x = line->X + i;
            V s = L.Load(x);
            for (long r = 1; r < rows; r++) s = T.Add<L, V>(s, L.Load(x += tapY));
            L.Store(joined + i, s);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void JoinPixels<T>(PoolF32Arguments* a, PoolF32Line* line, float* joined, long pixel) where T : struct, IPooling
    {
        var start = pixel * a->StrideX - a->PadLeft;
        var (tap, taps) = Clip(start, a->DilationX, a->KernelWidth, a->InputWidth);
        var factor = Factor(a, line, start, taps);
        float* x = joined + (start + tap * a->DilationX) * a->XPixel, y = line->Y + pixel * a->YPixel;
        var step = a->DilationX * a->XPixel;
        for (long channel = 0; channel < line->Channels; channel++)
        {
            var s = T.Start;
            for (long i = 0; i < taps; i++) s = T.Add(s, x[channel + i * step]);
            y[channel] = T.Finish(s, factor);
        }
    }
}

/// <summary>A row of outputs, of some channels.</summary>
internal unsafe struct PoolF32Line
{
    /// <summary>Of the first row of inputs that the window has, the first pixel of the image.</summary>
    public float* X;
    /// <summary>The first pixel.</summary>
    public float* Y;
    public long Channels;
    /// <summary>Rows of the window that lie in the image, and those that count in an average.</summary>
    public long TapsY, CountY;
}
