using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>
/// Float convolution of channels-last images in which each output channel sees one input channel: output channel c is made from input channel c / Multiplier. X
/// is already padded, as for <see cref="ConvolutionF32Arguments"/>. y = clamp(activation(x W + bias + residual)).
/// </summary>
internal unsafe struct DepthwiseF32Arguments : IKernelArguments<DepthwiseF32Arguments>
{
    // Rows of a tile: input rows are shared by neighbours while they are in the first cache, and calls per block of channels pay.
    private const long FewestRows = 8, FewestPixels = 256;

    // With fewer tiles than this, several threads share them unevenly: then tiles have fewer channels.
    private const long EnoughTiles = 16;

    /// <summary>Images, [Images, rows, pixels, InputChannels].</summary>
    public Operand X;
    /// <summary><see cref="DepthwiseF32Packing"/>.</summary>
    public Operand W;
    /// <summary>Float[InputChannels * Multiplier], or absent.</summary>
    public Operand Bias;
    /// <summary>What is added to the sums, in the shape of Y, or absent. May be Y itself.</summary>
    public Operand Residual;
    /// <summary>[Images, OutputHeight, OutputWidth, InputChannels * Multiplier].</summary>
    public Operand Y;
    public Size Images, OutputHeight, OutputWidth, InputChannels, Multiplier;
    public Size KernelHeight, KernelWidth, StrideY, StrideX, DilationY, DilationX;
    /// <summary>Elements from one pixel of X to the next in a row, from one row to the next, and from one image to the next.</summary>
    public Size XPixel, XRow, XImage;
    public Size YPixel, YRow, YImage;
    public Size ResidualPixel, ResidualRow, ResidualImage;
    /// <summary><see cref="FusedActivation"/>.</summary>
    public Size Activation;
    /// <summary>Parameters of the activation.</summary>
    public float Alpha, Beta;
    /// <summary>Limits of the result: infinities for none.</summary>
    public float Minimum, Maximum;

    public static Kernel<DepthwiseF32Arguments> Kernel { get; } = new(KernelIds.DepthwiseF32, nameof(DepthwiseF32),
        new("avx512", Lanes512.IsSupported, &DepthwiseF32.Run<Lanes512, Vector512<float>>),
        new("avx2", Lanes256.IsSupported, &DepthwiseF32.Run<Lanes256, Vector256<float>>),
        new("vector128", true, &DepthwiseF32.Run<Lanes128, Vector128<float>>));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Input(ref X, nameof(X), ModelElementType.Float);
        visitor.Constant(ref W, nameof(W), Packings.DepthwiseF32);
        visitor.Constant(ref Bias, nameof(Bias), Packings.Raw);
        visitor.Input(ref Residual, nameof(Residual), ModelElementType.Float);
        visitor.Output(ref Y, nameof(Y), ModelElementType.Float);
        visitor.Size(ref Images, nameof(Images));
        visitor.Size(ref OutputHeight, nameof(OutputHeight));
        visitor.Size(ref OutputWidth, nameof(OutputWidth));
        visitor.Size(ref InputChannels, nameof(InputChannels));
        visitor.Size(ref Multiplier, nameof(Multiplier));
        visitor.Size(ref KernelHeight, nameof(KernelHeight));
        visitor.Size(ref KernelWidth, nameof(KernelWidth));
        visitor.Size(ref StrideY, nameof(StrideY));
        visitor.Size(ref StrideX, nameof(StrideX));
        visitor.Size(ref DilationY, nameof(DilationY));
        visitor.Size(ref DilationX, nameof(DilationX));
        visitor.Size(ref XPixel, nameof(XPixel));
        visitor.Size(ref XRow, nameof(XRow));
        visitor.Size(ref XImage, nameof(XImage));
        visitor.Size(ref YPixel, nameof(YPixel));
        visitor.Size(ref YRow, nameof(YRow));
        visitor.Size(ref YImage, nameof(YImage));
        visitor.Size(ref ResidualPixel, nameof(ResidualPixel));
        visitor.Size(ref ResidualRow, nameof(ResidualRow));
        visitor.Size(ref ResidualImage, nameof(ResidualImage));
        visitor.Size(ref Activation, nameof(Activation));
        visitor.Number(ref Alpha, nameof(Alpha));
        visitor.Number(ref Beta, nameof(Beta));
        visitor.Number(ref Minimum, nameof(Minimum));
        visitor.Number(ref Maximum, nameof(Maximum));
    }

    public readonly void Check(KernelCheck check)
    {
        check.Present(X, W, Y);
        check.Sizes(Images, OutputHeight, OutputWidth, InputChannels, KernelHeight, KernelWidth, StrideY, StrideX, DilationY, DilationX,
            XPixel, XRow, XImage, YPixel, YRow, YImage, ResidualPixel, ResidualRow, ResidualImage);
        check.InRange(Multiplier, 1, int.MaxValue);
        check.InRange(Activation, FusedActivation.None, FusedActivation.Last);
        if (KernelHeight > 0 && KernelWidth > 0)
        {
            ImageView.Reach(check, X, (Images, XImage), ((OutputHeight - 1) * StrideY + (KernelHeight - 1) * DilationY + 1, XRow),
                ((OutputWidth - 1) * StrideX + (KernelWidth - 1) * DilationX + 1, XPixel), InputChannels);
        }
        check.Bytes(W, checked(sizeof(float) * DepthwiseF32Packing.Length(Channels, KernelHeight, KernelWidth)));
        check.Bytes(Bias, sizeof(float) * Channels);
        ImageView.Written(check, Y, (Images, YImage), (OutputHeight, YRow), (OutputWidth, YPixel), Channels);
        ImageView.Reach(check, Residual, (Images, ResidualImage), (OutputHeight, ResidualRow), (OutputWidth, ResidualPixel), Channels);
    }

    // An image without columns has no rows to compute either.
    public readonly long Tiles => OutputWidth == 0 ? 0 : Bands * ChannelBlocks;

    public readonly long Scratch => 0;

    public readonly double Work => (double)Images * OutputHeight * OutputWidth * Channels * KernelHeight * KernelWidth;

    internal readonly long Channels => InputChannels * Multiplier;

    /// <summary>Output rows of a tile; the last of an image may have fewer.</summary>
    internal readonly long BandRows => Math.Max(FewestRows, DivideUp(FewestPixels, Math.Max(OutputWidth, 1)));

    internal readonly long BandsOfImage => OutputWidth == 0 ? 0 : DivideUp(OutputHeight, BandRows);

    internal readonly long Bands => Images * BandsOfImage;

    /// <summary>Channels of a tile, whole blocks of the packing; the last may have fewer.</summary>
    internal readonly long BlockChannels
    {
        get
        {
            long bands = Bands, blocks = DivideUp(Channels, DepthwiseF32Packing.Block);
            return bands == 0 || blocks == 0 ? DepthwiseF32Packing.Block
                : DivideUp(blocks, Math.Min(DivideUp(EnoughTiles, bands), blocks)) * DepthwiseF32Packing.Block;
        }
    }

    internal readonly long ChannelBlocks => DivideUp(Channels, BlockChannels);

    private static long DivideUp(long value, long by) => (value + by - 1) / by;
}

/// <summary>Rows of pixels of one vector of channels.</summary>
internal unsafe struct DepthwiseF32Tile
{
    /// <summary>First tap of the first pixel, in bytes, and the bytes from one output pixel to the next, and from one output row to the next.</summary>
    public byte* X;
    public long XStep, XRow;
    /// <summary>Bytes from one tap to the next.</summary>
    public long TapX, TapY;
    public long TapsX, TapsY;
    /// <summary>The vector's weights of the first tap; those of the next one follow after <see cref="DepthwiseF32Packing.Block"/> floats.</summary>
    public float* W;
    /// <summary>What the sums start from.</summary>
    public float* Start;
    public float* Y, Residual;
    public long YPixel, YRow, ResidualPixel, ResidualRow;
    /// <summary>Rows, and groups of pixels in a row.</summary>
    public long Rows, Groups;
    /// <summary>Channels, up to a vector.</summary>
    public int Lanes;
    public float Minimum, Maximum;
    /// <summary>With a multiplier: which input channel each lane reads, counted from X.</summary>
    public fixed int Indices[DepthwiseF32Packing.Block];
}

/// <summary>
/// Depthwise convolution. Channels are the vector's lanes; sums of up to 14 neighbouring pixels stay in registers while the taps of a kernel row pass, so that
/// each input is loaded once for all of them.
/// </summary>
internal static unsafe partial class DepthwiseF32
{
    // As many sums as registers leave room for beside 5 weights and an input; with fewer, the latency of a multiply-add shows.
    private static int MostPixels<L, V>() where L : struct, ILanes<V> where V : unmanaged => L.Count == 16 || AdvSimd.IsSupported ? 14 : 8;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<L, V>(DepthwiseF32Arguments* a, long first, long last, byte* scratch) where L : struct, ILanes<V> where V : unmanaged
    {
        delegate*<float*, long, in ActivationParameters, void> activation = FusedActivation.Select(a->Activation);
        ActivationParameters parameters = new(a->Alpha, a->Beta, a->Minimum, a->Maximum);
        if (first >= last) return;
        long channels = a->Channels, blockChannels = a->BlockChannels, channelBlocks = a->ChannelBlocks, bands = a->BandsOfImage, bandRows = a->BandRows;
        long multiplier = a->Multiplier, width = a->OutputWidth, taps = a->KernelHeight * a->KernelWidth;
        long most = MostPixels<L, V>(), groups = (width + most - 1) / most, pixels = (width + groups - 1) / groups;
        var zeros = stackalloc float[DepthwiseF32Packing.Block];
        for (var i = 0; i < DepthwiseF32Packing.Block; i++) zeros[i] = 0;
        DepthwiseF32Tile tile = new()
        {
            XStep = a->StrideX * a->XPixel * sizeof(float), XRow = a->StrideY * a->XRow * sizeof(float),
            TapX = a->DilationX * a->XPixel * sizeof(float), TapY = a->DilationY * a->XRow * sizeof(float), TapsX = a->KernelWidth, TapsY = a->KernelHeight,
            YPixel = a->YPixel, YRow = a->YRow, ResidualPixel = a->ResidualPixel, ResidualRow = a->ResidualRow,
            Minimum = activation == null ? a->Minimum : float.NegativeInfinity, Maximum = activation == null ? a->Maximum : float.PositiveInfinity,
        };
        for (var t = first; t < last; t++)
        {
            long band = t / channelBlocks, image = band / bands, row = band % bands * bandRows;
            long channel = t % channelBlocks * blockChannels, end = Math.Min(channel + blockChannels, channels), start = channel;
            tile.Rows = Math.Min(bandRows, a->OutputHeight - row);
            var y = (float*)a->Y + image * a->YImage + row * a->YRow;
            for (; channel < end; channel += L.Count)
            {
                tile.Lanes = (int)Math.Min(end - channel, L.Count);
                var x = (float*)a->X + image * a->XImage + row * a->StrideY * a->XRow + (multiplier == 1 ? channel : channel / multiplier);
                tile.X = (byte*)x;
                tile.W = (float*)a->W + channel / DepthwiseF32Packing.Block * DepthwiseF32Packing.Block * taps + channel % DepthwiseF32Packing.Block;
                tile.Start = a->Bias.IsPresent ? (float*)a->Bias + channel : zeros;
                tile.Y = y + channel;
                tile.Residual = a->Residual.IsPresent ? (float*)a->Residual + image * a->ResidualImage + row * a->ResidualRow + channel : null;
                if (multiplier > 1)
                {
                    for (var i = 0; i < L.Count; i++) tile.Indices[i] = (int)((channel % multiplier + i) / multiplier);
                }
                // Groups of pixels, then what is left of every row.
                tile.Groups = width / pixels;
                RunHalf<L, V>(&tile, (int)pixels, multiplier);
                var done = tile.Groups * pixels;
                if (done == width) continue;
                tile.Groups = 1;
                tile.X += done * tile.XStep;
                tile.Y += done * tile.YPixel;
                if (tile.Residual != null) tile.Residual += done * tile.ResidualPixel;
                RunHalf<L, V>(&tile, (int)(width - done), multiplier);
            }
            if (activation == null) continue;
            for (long r = 0; r < tile.Rows; r++, y += a->YRow)
            {
                if (a->YPixel == channels && end - start == channels) activation(y, width * channels, parameters);
                else
                {
                    for (long p = 0; p < width; p++) activation(y + p * a->YPixel + start, end - start, parameters);
                }
            }
        }
    }

    // Up to 8 channels are half of a wide vector: a narrow one stores them without a mask, and fewer of its loads span two cache lines.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void RunHalf<L, V>(DepthwiseF32Tile* t, int pixels, long multiplier) where L : struct, ILanes<V> where V : unmanaged
    {
        if (L.Count == 16 && t->Lanes <= 8 && Lanes256.IsSupported) Run<Lanes256, Vector256<float>>(t, pixels, multiplier);
        else Run<L, V>(t, pixels, multiplier);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<L, V>(DepthwiseF32Tile* t, int pixels, long multiplier) where L : struct, ILanes<V> where V : unmanaged
    {
        switch (pixels)
        {
            case 1: Run<L, V, Rows1>(t, multiplier); break;
            case 2: Run<L, V, Rows2>(t, multiplier); break;
            case 3: Run<L, V, Rows3>(t, multiplier); break;
            case 4: Run<L, V, Rows4>(t, multiplier); break;
            case 5: Run<L, V, Rows5>(t, multiplier); break;
            case 6: Run<L, V, Rows6>(t, multiplier); break;
            case 7: Run<L, V, Rows7>(t, multiplier); break;
            case 8: Run<L, V, Rows8>(t, multiplier); break;
            case 9: Run<L, V, Rows9>(t, multiplier); break;
            case 10: Run<L, V, Rows10>(t, multiplier); break;
            case 11: Run<L, V, Rows11>(t, multiplier); break;
            case 12: Run<L, V, Rows12>(t, multiplier); break;
            case 13: Run<L, V, Rows13>(t, multiplier); break;
            default: Run<L, V, Rows14>(t, multiplier); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<L, V, N>(DepthwiseF32Tile* t, long multiplier) where L : struct, ILanes<V> where V : unmanaged where N : struct, ICount
    {
        var once = t->XStep == t->TapX;
        var twice = t->XStep == 2 * t->TapX;
        if (multiplier > 1) Any<L, V, N, Yes>(t);
        else if (t->TapsX == 3 && once) Three<L, V, N>(t);
        else if (t->TapsX == 3 && twice) ThreeByTwo<L, V, N>(t);
        else if (t->TapsX == 5 && once) Five<L, V, N>(t);
        else if (t->TapsX == 5 && twice) FiveByTwo<L, V, N>(t);
        else Any<L, V, N, No>(t);
    }

    // The row of inputs that the next row of outputs needs, so that it comes while this one is computed. A prefetch never faults, wherever it points.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Ahead<N>(byte* line, long step) where N : struct, ICount
    {
        if (!Sse.IsSupported) return;
        Sse.Prefetch0(line);
        if (N.Count > 1) Sse.Prefetch0(line += step);
        if (N.Count > 2) Sse.Prefetch0(line += step);
        if (N.Count > 3) Sse.Prefetch0(line += step);
        if (N.Count > 4) Sse.Prefetch0(line += step);
        if (N.Count > 5) Sse.Prefetch0(line += step);
        if (N.Count > 6) Sse.Prefetch0(line += step);
        if (N.Count > 7) Sse.Prefetch0(line += step);
        if (N.Count > 8) Sse.Prefetch0(line += step);
        if (N.Count > 9) Sse.Prefetch0(line += step);
        if (N.Count > 10) Sse.Prefetch0(line += step);
        if (N.Count > 11) Sse.Prefetch0(line += step);
        if (N.Count > 12) Sse.Prefetch0(line += step);
        if (N.Count > 13) Sse.Prefetch0(line += step);
    }

    /// <summary>Sums to a row of pixels; those that there are not fall away.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<L, V, N>(DepthwiseF32Tile* t, float* y, float* residual, V mask, V s0, V s1, V s2, V s3, V s4, V s5, V s6, V s7,
        V s8, V s9, V s10, V s11, V s12, V s13)
        where L : struct, ILanes<V> where V : unmanaged where N : struct, ICount
    {
        V low = L.Create(t->Minimum), high = L.Create(t->Maximum);
        if (residual != null)
        {
            var step = t->ResidualPixel;
            s0 = L.Add(s0, L.Load(residual));
            if (N.Count > 1) s1 = L.Add(s1, L.Load(residual += step));
            if (N.Count > 2) s2 = L.Add(s2, L.Load(residual += step));
            if (N.Count > 3) s3 = L.Add(s3, L.Load(residual += step));
            if (N.Count > 4) s4 = L.Add(s4, L.Load(residual += step));
            if (N.Count > 5) s5 = L.Add(s5, L.Load(residual += step));
            if (N.Count > 6) s6 = L.Add(s6, L.Load(residual += step));
            if (N.Count > 7) s7 = L.Add(s7, L.Load(residual += step));
            if (N.Count > 8) s8 = L.Add(s8, L.Load(residual += step));
            if (N.Count > 9) s9 = L.Add(s9, L.Load(residual += step));
            if (N.Count > 10) s10 = L.Add(s10, L.Load(residual += step));
            if (N.Count > 11) s11 = L.Add(s11, L.Load(residual += step));
            if (N.Count > 12) s12 = L.Add(s12, L.Load(residual += step));
            if (N.Count > 13) s13 = L.Add(s13, L.Load(residual += step));
        }
        s0 = L.AtMost(high, L.AtLeast(low, s0));
        if (N.Count > 1) s1 = L.AtMost(high, L.AtLeast(low, s1));
        if (N.Count > 2) s2 = L.AtMost(high, L.AtLeast(low, s2));
        if (N.Count > 3) s3 = L.AtMost(high, L.AtLeast(low, s3));
        if (N.Count > 4) s4 = L.AtMost(high, L.AtLeast(low, s4));
        if (N.Count > 5) s5 = L.AtMost(high, L.AtLeast(low, s5));
        if (N.Count > 6) s6 = L.AtMost(high, L.AtLeast(low, s6));
        if (N.Count > 7) s7 = L.AtMost(high, L.AtLeast(low, s7));
        if (N.Count > 8) s8 = L.AtMost(high, L.AtLeast(low, s8));
        if (N.Count > 9) s9 = L.AtMost(high, L.AtLeast(low, s9));
        if (N.Count > 10) s10 = L.AtMost(high, L.AtLeast(low, s10));
        if (N.Count > 11) s11 = L.AtMost(high, L.AtLeast(low, s11));
        if (N.Count > 12) s12 = L.AtMost(high, L.AtLeast(low, s12));
        if (N.Count > 13) s13 = L.AtMost(high, L.AtLeast(low, s13));
        var pixel = t->YPixel;
        if (t->Lanes == L.Count)
        {
            L.Store(y, s0);
            if (N.Count > 1) L.Store(y += pixel, s1);
            if (N.Count > 2) L.Store(y += pixel, s2);
            if (N.Count > 3) L.Store(y += pixel, s3);
            if (N.Count > 4) L.Store(y += pixel, s4);
            if (N.Count > 5) L.Store(y += pixel, s5);
            if (N.Count > 6) L.Store(y += pixel, s6);
            if (N.Count > 7) L.Store(y += pixel, s7);
            if (N.Count > 8) L.Store(y += pixel, s8);
            if (N.Count > 9) L.Store(y += pixel, s9);
            if (N.Count > 10) L.Store(y += pixel, s10);
            if (N.Count > 11) L.Store(y += pixel, s11);
            if (N.Count > 12) L.Store(y += pixel, s12);
            if (N.Count > 13) L.Store(y += pixel, s13);
        }
        else
        {
            var lanes = t->Lanes;
            L.StoreFirst(y, s0, mask, lanes);
            if (N.Count > 1) L.StoreFirst(y += pixel, s1, mask, lanes);
            if (N.Count > 2) L.StoreFirst(y += pixel, s2, mask, lanes);
            if (N.Count > 3) L.StoreFirst(y += pixel, s3, mask, lanes);
            if (N.Count > 4) L.StoreFirst(y += pixel, s4, mask, lanes);
            if (N.Count > 5) L.StoreFirst(y += pixel, s5, mask, lanes);
            if (N.Count > 6) L.StoreFirst(y += pixel, s6, mask, lanes);
            if (N.Count > 7) L.StoreFirst(y += pixel, s7, mask, lanes);
            if (N.Count > 8) L.StoreFirst(y += pixel, s8, mask, lanes);
            if (N.Count > 9) L.StoreFirst(y += pixel, s9, mask, lanes);
            if (N.Count > 10) L.StoreFirst(y += pixel, s10, mask, lanes);
            if (N.Count > 11) L.StoreFirst(y += pixel, s11, mask, lanes);
            if (N.Count > 12) L.StoreFirst(y += pixel, s12, mask, lanes);
            if (N.Count > 13) L.StoreFirst(y += pixel, s13, mask, lanes);
        }
    }

    // Kernels of any width, stride and dilation: inputs are operands in memory.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Any<L, V, N, TMultiplied>(DepthwiseF32Tile* t)
        where L : struct, ILanes<V> where V : unmanaged where N : struct, ICount where TMultiplied : struct, IFlag
    {
        V mask = L.Mask(t->Lanes), start = L.Load(t->Start);
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
                for (var ty = t->TapsY; ty > 0; ty--, line += t->TapY)
                {
                    var tap = line;
                    for (var tx = t->TapsX; tx > 0; tx--, tap += t->TapX, w += DepthwiseF32Packing.Block)
                    {
                        var c = tap;
                        V v = L.Load(w);
                        s0 = L.MultiplyAdd(Lane<L, V, TMultiplied>(t, c), v, s0);
                        if (N.Count > 1) s1 = L.MultiplyAdd(Lane<L, V, TMultiplied>(t, c += t->XStep), v, s1);
                        if (N.Count > 2) s2 = L.MultiplyAdd(Lane<L, V, TMultiplied>(t, c += t->XStep), v, s2);
                        if (N.Count > 3) s3 = L.MultiplyAdd(Lane<L, V, TMultiplied>(t, c += t->XStep), v, s3);
                        if (N.Count > 4) s4 = L.MultiplyAdd(Lane<L, V, TMultiplied>(t, c += t->XStep), v, s4);
                        if (N.Count > 5) s5 = L.MultiplyAdd(Lane<L, V, TMultiplied>(t, c += t->XStep), v, s5);
                        if (N.Count > 6) s6 = L.MultiplyAdd(Lane<L, V, TMultiplied>(t, c += t->XStep), v, s6);
                        if (N.Count > 7) s7 = L.MultiplyAdd(Lane<L, V, TMultiplied>(t, c += t->XStep), v, s7);
                        if (N.Count > 8) s8 = L.MultiplyAdd(Lane<L, V, TMultiplied>(t, c += t->XStep), v, s8);
                        if (N.Count > 9) s9 = L.MultiplyAdd(Lane<L, V, TMultiplied>(t, c += t->XStep), v, s9);
                        if (N.Count > 10) s10 = L.MultiplyAdd(Lane<L, V, TMultiplied>(t, c += t->XStep), v, s10);
                        if (N.Count > 11) s11 = L.MultiplyAdd(Lane<L, V, TMultiplied>(t, c += t->XStep), v, s11);
                        if (N.Count > 12) s12 = L.MultiplyAdd(Lane<L, V, TMultiplied>(t, c += t->XStep), v, s12);
                        if (N.Count > 13) s13 = L.MultiplyAdd(Lane<L, V, TMultiplied>(t, c += t->XStep), v, s13);
                    }
                }
                Store<L, V, N>(t, y, residual, mask, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13);
                x += N.Count * t->XStep;
                y += N.Count * t->YPixel;
                if (residual != null) residual += N.Count * t->ResidualPixel;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Lane<L, V, TMultiplied>(DepthwiseF32Tile* t, byte* x) where L : struct, ILanes<V> where V : unmanaged where TMultiplied : struct, IFlag =>
        TMultiplied.Value ? L.Shuffle(L.Load((float*)x), t->Indices) : L.Load((float*)x);
}
