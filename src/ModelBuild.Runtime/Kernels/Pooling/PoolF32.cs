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

    // Elements of a joined row that stay in the first cache.
    private const long MostJoined = 6 * 1024;

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
        check.Sizes(Images, InputHeight, InputWidth, OutputHeight, OutputWidth, Channels, PadTop, PadLeft, PadBottom, PadRight, XPixel, XRow, XImage,
            YPixel, YRow, YImage);
        check.InRange(KernelHeight, 1, int.MaxValue);
        check.InRange(KernelWidth, 1, int.MaxValue);
        check.InRange(StrideY, 1, int.MaxValue);
        check.InRange(StrideX, 1, int.MaxValue);
        check.InRange(DilationY, 1, int.MaxValue);
        check.InRange(DilationX, 1, int.MaxValue);
        check.InRange(Kind, PoolKind.Maximum, PoolKind.PaddedAverage);
        ImageView.Reach(check, X, (Images, XImage), (InputHeight, XRow), (InputWidth, XPixel), Channels);
        ImageView.Written(check, Y, (Images, YImage), (OutputHeight, YRow), (OutputWidth, YPixel), Channels);
    }

    public readonly long Tiles => Bands * ChannelBlocks;

    public readonly long Scratch => IsJoined && Bands > 0 && InputHeight > 0 ? (InputWidth * JoinedPixel + 16) * sizeof(float) : 0;

    public readonly double Work => (double)Images * OutputHeight * OutputWidth * Channels * KernelHeight * KernelWidth;

    /// <summary>So few channels that vectors hold several pixels.</summary>
    internal readonly bool IsNarrow => Channels <= 4 && XPixel <= 8;

    /// <summary>Whether rows of windows are joined first, and then their pixels: where pixels are seen by several windows of a row, or are narrow. To add up
    /// few rows takes less than to store what they add up to.</summary>
    internal readonly bool IsJoined => IsNarrow || KernelWidth > 2 * StrideX && OutputWidth > 1 && (Kind == PoolKind.Maximum || KernelHeight > 3);

    /// <summary>Elements from one pixel of joined rows to the next: those of X where a tile has all of them, whole vectors otherwise.</summary>
    internal readonly long JoinedPixel => IsRun ? XPixel : DivideUp(BlockChannels, 16) * 16;

    /// <summary>Whether a row of X is joined as one run of elements.</summary>
    internal readonly bool IsRun => IsNarrow || XPixel == Channels && BlockChannels >= Channels;

    /// <summary>Output rows of a tile; the last of an image may have fewer.</summary>
    internal readonly long BandRows => Math.Max(1, TileWork / Math.Max(1, OutputWidth * Channels * KernelHeight * KernelWidth));

    internal readonly long BandsOfImage => OutputWidth == 0 || Channels == 0 ? 0 : DivideUp(OutputHeight, BandRows);

    internal readonly long Bands => Images * BandsOfImage;

    internal readonly long BlockChannels
    {
        get
        {
            long bands = Bands, blocks = bands is > 0 and < EnoughTiles ? DivideUp(EnoughTiles, bands) : 1;
            if (IsJoined) blocks = Math.Max(blocks, DivideUp(InputWidth * Channels, MostJoined));
            blocks = Math.Min(blocks, DivideUp(Channels, FewestChannels));
            return blocks <= 1 ? Math.Max(Channels, 1) : DivideUp(DivideUp(Channels, blocks), FewestChannels) * FewestChannels;
        }
    }

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

    /// <summary>The result, from the sum and one over the number of elements.</summary>
    static abstract V Finish<L, V>(V sum, V factor) where L : struct, ILanes<V> where V : unmanaged;
}

internal readonly struct MaximumPooling : IPooling
{
    public static float Start => float.NegativeInfinity;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Add<L, V>(V a, V b) where L : struct, ILanes<V> where V : unmanaged => L.Maximum(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Finish<L, V>(V sum, V factor) where L : struct, ILanes<V> where V : unmanaged => sum;
}

internal readonly struct AveragePooling : IPooling
{
    public static float Start => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Add<L, V>(V a, V b) where L : struct, ILanes<V> where V : unmanaged => L.Add(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Finish<L, V>(V sum, V factor) where L : struct, ILanes<V> where V : unmanaged => L.Multiply(sum, factor);
}

/// <summary>
/// Pooling. Vectors hold channels of one pixel. Where windows overlap, or channels are few, the rows of a window are joined first, for the whole width of the
/// image, and then the pixels of the joined row.
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
        long joinedPixel = a->JoinedPixel;
        bool joined = a->IsJoined, run = a->IsRun, narrow = a->IsNarrow;
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
                line.XPixel = a->XPixel;
                line.Y = (float*)a->Y + image * a->YImage + row * a->YRow + channel;
                if (joined && line.TapsY > 0)
                {
                    if (run) JoinRows<T, L, V>(a, &line, line.X, (a->InputWidth - 1) * a->XPixel + line.Channels, (float*)scratch);
                    else
                    {
                        for (long p = 0; p < a->InputWidth; p++)
                            JoinRows<T, L, V>(a, &line, line.X + p * a->XPixel, line.Channels, (float*)scratch + p * joinedPixel);
                    }
                    // What is left is windows of one row.
                    line.X = (float*)scratch;
                    line.XPixel = joinedPixel;
                    line.TapsY = 1;
                }
                Windows<T, L, V>(a, &line, 0, inside);
                if (narrow && line.TapsY > 0) Narrow<T, L, V>(a, &line, inside, insideEnd);
                else if (line.TapsY == 2 && a->KernelWidth == 2) Small<T, L, V, Rows2>(a, &line, inside, insideEnd);
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
        if (start >= 0 && start + (kernel - 1) * dilation < size) return (0, kernel);
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
        long channels = line->Channels, tapX = a->DilationX * line->XPixel, tapY = a->DilationY * a->XRow;
        var y = line->Y + from * a->YPixel;
        for (var pixel = from; pixel < to; pixel++, y += a->YPixel)
        {
            var start = pixel * a->StrideX - a->PadLeft;
            var (tap, taps) = Clip(start, a->DilationX, a->KernelWidth, a->InputWidth);
            V factor = L.Create(Factor(a, line, start, taps));
            var x = line->X + (start + tap * a->DilationX) * line->XPixel;
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

    // Rows of a window, for a run of elements. Up to a vector is read beyond the last one, and as much written to scratch memory.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void JoinRows<T, L, V>(PoolF32Arguments* a, PoolF32Line* line, float* run, long count, float* joined)
        where T : struct, IPooling where L : struct, ILanes<V> where V : unmanaged
    {
        long tapY = a->DilationY * a->XRow, rows = line->TapsY, i = 0;
        for (; i <= count - 4 * L.Count; i += 4 * L.Count)
        {
            var x = run + i;
            V s0 = L.Load(x), s1 = L.Load(x + L.Count), s2 = L.Load(x + 2 * L.Count), s3 = L.Load(x + 3 * L.Count);
            for (long r = 1; r < rows; r++)
            {
                x += tapY;
                s0 = T.Add<L, V>(s0, L.Load(x));
                s1 = T.Add<L, V>(s1, L.Load(x + L.Count));
                s2 = T.Add<L, V>(s2, L.Load(x + 2 * L.Count));
                s3 = T.Add<L, V>(s3, L.Load(x + 3 * L.Count));
            }
            L.Store(joined + i, s0);
            L.Store(joined + i + L.Count, s1);
            L.Store(joined + i + 2 * L.Count, s2);
            L.Store(joined + i + 3 * L.Count, s3);
        }
        for (; i < count; i += L.Count)
        {
            var x = run + i;
            V s = L.Load(x);
            for (long r = 1; r < rows; r++) s = T.Add<L, V>(s, L.Load(x += tapY));
            L.Store(joined + i, s);
        }
    }

    // Windows of one row that are not clipped, of up to four channels: as one run of elements, or a pixel at a time.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Narrow<T, L, V>(PoolF32Arguments* a, PoolF32Line* line, long from, long to)
        where T : struct, IPooling where L : struct, ILanes<V> where V : unmanaged
    {
        if (from >= to) return;
        long taps = a->KernelWidth, tapX = a->DilationX * line->XPixel, step = a->StrideX * line->XPixel, yPixel = a->YPixel;
        var factor = Factor(a, line, from * a->StrideX - a->PadLeft, taps);
        var x = line->X + (from * a->StrideX - a->PadLeft) * line->XPixel;
        var y = line->Y + from * yPixel;
        var channels = (int)line->Channels;
        if (step == channels && yPixel == channels)
        {
            V scale = L.Create(factor);
            var count = (to - from) * channels;
            for (long i = 0; i < count; i += L.Count)
            {
                V s = L.Load(x + i);
                for (long tap = 1; tap < taps; tap++) s = T.Add<L, V>(s, L.Load(x + i + tap * tapX));
                Store<L, V>(y, i, count, T.Finish<L, V>(s, scale));
            }
            return;
        }
        var factors = Lanes128.Create(factor);
        for (var pixel = from; pixel < to; pixel++, x += step, y += yPixel)
        {
            var s = Lanes128.Load(x);
            for (long tap = 1; tap < taps; tap++) s = T.Add<Lanes128, Vector128<float>>(s, Lanes128.Load(x + tap * tapX));
            Lanes128.StoreFirst(y, T.Finish<Lanes128, Vector128<float>>(s, factors), default, channels);
        }
    }
}

/// <summary>A row of outputs, of some channels.</summary>
internal unsafe struct PoolF32Line
{
    /// <summary>Of the first row of inputs that the window has, the first pixel of the image.</summary>
    public float* X;
    /// <summary>Elements from one pixel to the next.</summary>
    public long XPixel;
    /// <summary>The first pixel of the outputs.</summary>
    public float* Y;
    public long Channels;
    /// <summary>Rows of the window that lie in the image, and those that count in an average.</summary>
    public long TapsY, CountY;
}
