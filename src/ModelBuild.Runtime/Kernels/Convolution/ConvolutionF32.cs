using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelBuild.Kernels;

/// <summary>
/// Float convolution of channels-last images, dense or in groups; one dimension is a height of 1. X is already padded: its first element belongs to the first
/// tap of the first output pixel. y = clamp(activation(x W + bias + residual)).
/// </summary>
internal unsafe struct ConvolutionF32Arguments : IKernelArguments<ConvolutionF32Arguments>
{
    /// <summary>Images, [Images, rows, pixels, Groups * InputChannels].</summary>
    public Operand X;
    /// <summary><see cref="ConvolutionF32Packing"/>.</summary>
    public Operand W;
    /// <summary>Float[Groups * OutputChannels], or absent.</summary>
    public Operand Bias;
    /// <summary>What is added to the sums, in the shape of Y, or absent. May be Y itself.</summary>
    public Operand Residual;
    /// <summary>[Images, OutputHeight, OutputWidth, Groups * OutputChannels].</summary>
    public Operand Y;
    public Size Images, OutputHeight, OutputWidth;
    /// <summary>Channels of one group.</summary>
    public Size InputChannels, OutputChannels;
    public Size Groups, KernelHeight, KernelWidth, StrideY, StrideX, DilationY, DilationX;
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

    public static Kernel<ConvolutionF32Arguments> Kernel { get; } = new(KernelIds.ConvolutionF32, nameof(ConvolutionF32),
        new("avx512", Lanes512.IsSupported, &ConvolutionF32.Run<ConvolutionF32Avx512, Lanes512, Vector512<float>>),
        new("avx2", Lanes256.IsSupported, &ConvolutionF32.Run<ConvolutionF32Fma, Lanes256, Vector256<float>>),
        new("vector128", true, &ConvolutionF32.Run<ConvolutionF32Vector128, Lanes128, Vector128<float>>));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Input(ref X, nameof(X), ModelElementType.Float);
        visitor.Constant(ref W, nameof(W), Packings.DenseF32);
        visitor.Constant(ref Bias, nameof(Bias), Packings.Raw);
        visitor.Input(ref Residual, nameof(Residual), ModelElementType.Float);
        visitor.Output(ref Y, nameof(Y), ModelElementType.Float);
        visitor.Size(ref Images, nameof(Images));
        visitor.Size(ref OutputHeight, nameof(OutputHeight));
        visitor.Size(ref OutputWidth, nameof(OutputWidth));
        visitor.Size(ref InputChannels, nameof(InputChannels));
        visitor.Size(ref OutputChannels, nameof(OutputChannels));
        visitor.Size(ref Groups, nameof(Groups));
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
        check.Sizes(Images, OutputHeight, OutputWidth, InputChannels, OutputChannels, Groups, KernelHeight, KernelWidth, StrideY, StrideX, DilationY, DilationX,
            XPixel, XRow, XImage, YPixel, YRow, YImage, ResidualPixel, ResidualRow, ResidualImage);
        check.InRange(Activation, FusedActivation.None, FusedActivation.Last);
        long channels = OutputChannels * Groups;
        if (channels > 0 && KernelHeight > 0 && KernelWidth > 0)
        {
            ImageView.Reach(check, X, (Images, XImage), ((OutputHeight - 1) * StrideY + (KernelHeight - 1) * DilationY + 1, XRow),
                ((OutputWidth - 1) * StrideX + (KernelWidth - 1) * DilationX + 1, XPixel), InputChannels * Groups);
        }
        check.Bytes(W, checked(sizeof(float) * ConvolutionF32Packing.Length(Groups, OutputChannels, InputChannels, KernelHeight, KernelWidth)));
        check.Bytes(Bias, sizeof(float) * channels);
        ImageView.Written(check, Y, (Images, YImage), (OutputHeight, YRow), (OutputWidth, YPixel), channels);
        ImageView.Reach(check, Residual, (Images, ResidualImage), (OutputHeight, ResidualRow), (OutputWidth, ResidualPixel), channels);
    }

    public readonly long Tiles => new ConvolutionF32Blocks(this).Tiles;

    public readonly long Scratch => sizeof(ConvolutionF32Offsets) + sizeof(float) * ConvolutionF32Few.Floats(this);

    public readonly double Work => (double)Images * OutputHeight * OutputWidth * KernelHeight * KernelWidth * InputChannels * OutputChannels * Groups;
}

/// <summary>How the work is cut into tiles: blocks of output pixels, and for each of them blocks of panels of weights.</summary>
internal readonly struct ConvolutionF32Blocks
{
    /// <summary>Most pixels of a block: a multiple of the 14, 6 and 4 pixels that the paths compute at once.</summary>
    public const int MostPixels = 84;

    // With fewer tiles than this, several threads share them unevenly: then tiles have fewer channels.
    private const long EnoughTiles = 16;

    /// <summary>Output pixels of all images, how many a block has, the last one maybe fewer, and the number of blocks.</summary>
    public readonly long Pixels, BlockPixels, PixelBlocks;
    /// <summary>Panels of a group of channels, of all groups, how many a block has, the last one maybe fewer, and the number of blocks.</summary>
    public readonly long PanelsOfGroup, Panels, BlockPanels, PanelBlocks;

    public ConvolutionF32Blocks(in ConvolutionF32Arguments a)
    {
        Pixels = a.Images * a.OutputHeight * a.OutputWidth;
        PanelsOfGroup = DivideUp(a.OutputChannels, Kernels.Panels.Wide);
        Panels = a.Groups * PanelsOfGroup;
        // Most calls of small models have one block: no division then.
        var even = Pixels <= MostPixels ? Pixels : DivideUp(Pixels, DivideUp(Pixels, MostPixels));
        BlockPixels = Math.Max(DivideUp(even, 14) * 14, 14);
        PixelBlocks = Pixels <= BlockPixels ? Math.Min(Pixels, 1) : DivideUp(Pixels, BlockPixels);
        BlockPanels = PixelBlocks >= EnoughTiles || Panels <= 1 ? Math.Max(Panels, 1)
            : PixelBlocks <= 1 ? DivideUp(Panels, EnoughTiles) : DivideUp(Panels, Math.Min(DivideUp(EnoughTiles, PixelBlocks), Panels));
        PanelBlocks = BlockPanels == 1 ? Panels : DivideUp(Panels, BlockPanels);
    }

    public long Tiles => PixelBlocks * PanelBlocks;

    private static long DivideUp(long value, long by) => (value + by - 1) / by;
}

/// <summary>How an instruction set computes a few pixels.</summary>
internal unsafe interface IConvolutionF32Path
{
    /// <summary>Most pixels that <see cref="Run"/> computes at once.</summary>
    static abstract int MostRows { get; }

    /// <summary>Computes 1 to <see cref="MostRows"/> pixels of one panel.</summary>
    static abstract void Run(ConvolutionF32Tile* tile);
}

/// <summary>A few output pixels of one panel of weights.</summary>
internal unsafe struct ConvolutionF32Tile
{
    /// <summary>First channel of the group in the first image.</summary>
    public byte* X;
    /// <summary>Bytes from <see cref="X"/> to the first tap of each pixel.</summary>
    public long* XOffsets;
    /// <summary>The panel.</summary>
    public float* W;
    /// <summary>What the sums start from, <see cref="Width"/> floats.</summary>
    public float* Start;
    /// <summary>First channel of the panel in the first image.</summary>
    public float* Y;
    public long* YOffsets;
    /// <summary>As <see cref="Y"/>, or null.</summary>
    public float* Residual;
    public long* ResidualOffsets;
    /// <summary>Taps: contiguous inputs of <see cref="Run"/> floats, <see cref="TapsX"/> of them every <see cref="TapX"/> bytes, and this <see cref="TapsY"/>
    /// times every <see cref="TapY"/> bytes.</summary>
    public long TapsY, TapsX, Run, TapY, TapX;
    /// <summary>Pixels.</summary>
    public int Rows;
    /// <summary>Channels of a line of the panel, and how many of them there are.</summary>
    public int Width, Columns;
    public float Minimum, Maximum;
}

/// <summary>Where the pixels of a tile are, in bytes for X and in elements for the others.</summary>
internal unsafe struct ConvolutionF32Offsets
{
    public fixed long X[ConvolutionF32Blocks.MostPixels];
    public fixed long Y[ConvolutionF32Blocks.MostPixels];
    public fixed long Residual[ConvolutionF32Blocks.MostPixels];
    public fixed float Zeros[Panels.Wide];
}

/// <summary>
/// Tiles of the convolution: a block of pixels, wherever rows and images end, times some panels of weights. Within it a panel stays in the cache while all
/// pixels of the block pass, a few at a time.
/// </summary>
internal static unsafe class ConvolutionF32
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TPath, L, V>(ConvolutionF32Arguments* a, long first, long last, byte* scratch)
        where TPath : struct, IConvolutionF32Path where L : struct, ILanes<V> where V : unmanaged
    {
        var few = ConvolutionF32Few.Floats(*a) == 0 ? null : (float*)(scratch + sizeof(ConvolutionF32Offsets));
        Run<TPath, L, V>(a, first, last, scratch, few);
    }

    /// <summary>Runs tiles, with memory for <see cref="ConvolutionF32Few"/> or none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TPath, L, V>(ConvolutionF32Arguments* a, long first, long last, byte* scratch, float* few)
        where TPath : struct, IConvolutionF32Path where L : struct, ILanes<V> where V : unmanaged
    {
        var offsets = (ConvolutionF32Offsets*)scratch;
        new Span<float>(offsets->Zeros, Panels.Wide).Clear();
        delegate*<float*, long, in ActivationParameters, void> activation = FusedActivation.Select(a->Activation);
        ActivationParameters parameters = new(a->Alpha, a->Beta, a->Minimum, a->Maximum);
        ConvolutionF32Blocks blocks = new(*a);
        var joined = a->XPixel == a->InputChannels && a->DilationX == 1;
        ConvolutionF32Tile tile = new()
        {
            TapsY = a->KernelHeight, TapY = a->DilationY * a->XRow * sizeof(float),
            TapsX = joined ? 1 : a->KernelWidth, TapX = a->DilationX * a->XPixel * sizeof(float),
            Run = joined ? a->KernelWidth * a->InputChannels : a->InputChannels,
            Minimum = activation == null ? a->Minimum : float.NegativeInfinity, Maximum = activation == null ? a->Maximum : float.PositiveInfinity,
        };
        var k = a->KernelHeight * a->KernelWidth * a->InputChannels;
        if (few != null && !ConvolutionF32Few.Pays(L.Count, a->OutputChannels, tile.TapsY * tile.TapsX, tile.Run)) few = null;
        if (few != null) ConvolutionF32Few.Place(few, (float*)a->W, (int)a->OutputChannels, tile.TapsY * tile.TapsX, tile.Run, L.Count);
        var groupWeights = k * Panels.PaddedColumns(a->OutputChannels);
        long located = -1, count = 0;
        for (var t = first; t < last; t++)
        {
            // Blocks of pixels follow each other for the same weights.
            long panels = blocks.PixelBlocks == 1 ? t : t / blocks.PixelBlocks, block = t - panels * blocks.PixelBlocks;
            long panel = panels * blocks.BlockPanels, end = Math.Min(panel + blocks.BlockPanels, blocks.Panels);
            if (block != located)
            {
                count = Math.Min(blocks.Pixels - block * blocks.BlockPixels, blocks.BlockPixels);
                Locate(a, offsets, block * blocks.BlockPixels, count);
                located = block;
            }
            for (; panel < end; panel++)
            {
                var group = a->Groups == 1 ? 0 : panel / blocks.PanelsOfGroup;
                long column = (panel - group * blocks.PanelsOfGroup) * Panels.Wide, channel = group * a->OutputChannels + column;
                tile.Width = Panels.WidthAt(column, a->OutputChannels);
                tile.Columns = (int)Math.Min(a->OutputChannels - column, tile.Width);
                tile.X = (byte*)((float*)a->X + group * a->InputChannels);
                tile.W = (float*)a->W + group * groupWeights + column * k;
                tile.Start = a->Bias.IsPresent ? (float*)a->Bias + channel : offsets->Zeros;
                tile.Y = (float*)a->Y + channel;
                tile.Residual = a->Residual.IsPresent ? (float*)a->Residual + channel : null;
                if (few != null)
                {
                    tile.XOffsets = offsets->X;
                    tile.YOffsets = offsets->Y;
                    tile.ResidualOffsets = offsets->Residual;
                    ConvolutionF32Few.Run<L, V>(&tile, few, count);
                    if (activation == null) continue;
                    for (var r = 0; r < count; r++) activation(tile.Y + tile.YOffsets[r], tile.Columns, parameters);
                    continue;
                }
                long parts = (count + TPath.MostRows - 1) / TPath.MostRows, done = 0;
                for (long part = 0; part < parts; part++)
                {
                    tile.Rows = (int)((count - done + parts - part - 1) / (parts - part));
                    tile.XOffsets = offsets->X + done;
                    tile.YOffsets = offsets->Y + done;
                    tile.ResidualOffsets = offsets->Residual + done;
                    TPath.Run(&tile);
                    if (activation != null)
                    {
                        for (var r = 0; r < tile.Rows; r++) activation(tile.Y + tile.YOffsets[r], tile.Columns, parameters);
                    }
                    done += tile.Rows;
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Locate(ConvolutionF32Arguments* a, ConvolutionF32Offsets* offsets, long pixel, long count)
    {
        long width = a->OutputWidth, height = a->OutputHeight, x = 0, y = 0, image = 0;
        // Locals: what is stored might change the arguments, for all that the compiler knows.
        long xStep = a->StrideX * a->XPixel * sizeof(float), yStep = a->YPixel, residualStep = a->ResidualPixel;
        var withResidual = a->Residual.IsPresent;
        long* xs = offsets->X, ys = offsets->Y, residuals = offsets->Residual;
        if (pixel > 0)
        {
            y = pixel / width;
            x = pixel - y * width;
            image = y / height;
            y -= image * height;
        }
        for (long i = 0; i < count;)
        {
            var end = Math.Min(count, i + width - x);
            long xAt = (image * a->XImage + y * a->StrideY * a->XRow) * sizeof(float) + x * xStep, yAt = image * a->YImage + y * a->YRow + x * yStep;
            if (withResidual)
            {
                var residualAt = image * a->ResidualImage + y * a->ResidualRow + x * residualStep;
                for (var r = i; r < end; r++, residualAt += residualStep) residuals[r] = residualAt;
            }
            for (; i < end; i++)
            {
                xs[i] = xAt;
                ys[i] = yAt;
                xAt += xStep;
                yAt += yStep;
            }
            x = 0;
            if (++y < height) continue;
            y = 0;
            image++;
        }
    }
}
