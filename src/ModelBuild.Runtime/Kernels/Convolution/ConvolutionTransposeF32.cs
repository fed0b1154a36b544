using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>
/// Transposed float convolution of channels-last images: an input at row i adds itself, times the kernel's row k, to the output at row
/// i * StrideY + k * DilationY - PadTop, and so for pixels. X's first element is that of the image; around it lie as many rows and pixels of zeros as
/// <see cref="BorderY"/> and <see cref="BorderX"/> say. y = clamp(activation(sum + bias + residual)).
/// </summary>
internal unsafe struct ConvolutionTransposeF32Arguments : IKernelArguments<ConvolutionTransposeF32Arguments>
{
    private const long MostStride = 256;

    /// <summary>Images, [Images, rows, pixels, Groups * InputChannels].</summary>
    public Operand X;
    /// <summary><see cref="ConvolutionTransposeF32Packing"/>.</summary>
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
    /// <summary>Rows and pixels that are cut off before the first output.</summary>
    public Size PadTop, PadLeft;
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

    public static Kernel<ConvolutionTransposeF32Arguments> Kernel { get; } = new(KernelIds.ConvolutionTransposeF32, nameof(ConvolutionTransposeF32),
        new("avx512", Lanes512.IsSupported, ConvolutionTransposeF32.Select<ConvolutionF32Avx512, Lanes512, Vector512<float>>),
        new("avx2", Lanes256.IsSupported, ConvolutionTransposeF32.Select<ConvolutionF32Fma, Lanes256, Vector256<float>>),
        new("vector128", true, ConvolutionTransposeF32.Select<ConvolutionF32Vector128, Lanes128, Vector128<float>>));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Input(ref X, nameof(X), ModelElementType.Float);
        visitor.Constant(ref W, nameof(W), Packings.ConvolutionTransposeF32);
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
        visitor.Size(ref PadTop, nameof(PadTop));
        visitor.Size(ref PadLeft, nameof(PadLeft));
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
        check.Sizes(Images, OutputHeight, OutputWidth, InputChannels, OutputChannels, Groups, KernelHeight, KernelWidth, PadTop, PadLeft,
            XPixel, XRow, XImage, YPixel, YRow, YImage, ResidualPixel, ResidualRow, ResidualImage);
        check.InRange(StrideY, 1, MostStride);
        check.InRange(StrideX, 1, MostStride);
        check.InRange(DilationY, 1, int.MaxValue);
        check.InRange(DilationX, 1, int.MaxValue);
        check.InRange(Activation, FusedActivation.None, FusedActivation.Last);
        var channels = checked(OutputChannels * Groups);
        var (firstY, lastY) = InputsY;
        var (firstX, lastX) = InputsX;
        if (Images > 0 && channels > 0 && InputChannels > 0 && lastY >= firstY && lastX >= firstX)
        {
            long pixel = XPixel, row = XRow, image = XImage;
            var first = (Int128)firstY * row + (Int128)firstX * pixel;
            var last = (Int128)(Images - 1) * image + (Int128)lastY * row + (Int128)lastX * pixel + InputChannels * Groups - 1;
            check.Reaches(X, (long)Int128.Max(first, long.MinValue), (long)Int128.Min(last, long.MaxValue));
        }
        check.Bytes(W, checked(sizeof(float) * ConvolutionTransposeF32Packing.Length(Groups, OutputChannels, InputChannels, KernelHeight, KernelWidth,
            (StrideY, StrideX), (DilationY, DilationX))));
        check.Bytes(Bias, sizeof(float) * channels);
        ImageView.Written(check, Y, (Images, YImage), (OutputHeight, YRow), (OutputWidth, YPixel), channels);
        ImageView.Reach(check, Residual, (Images, ResidualImage), (OutputHeight, ResidualRow), (OutputWidth, ResidualPixel), channels);
    }

    public readonly long Tiles => OutputHeight == 0 || OutputWidth == 0 ? 0 : Phases * TilesOfPhase;

    public readonly long Scratch => Tiles == 0 ? 0 : !IsWhole ? sizeof(ConvolutionF32Offsets)
        : sizeof(ConvolutionF32Offsets) + sizeof(TransposedSums) + sizeof(float) * (Panels.PaddedColumns(OutputChannels * KernelWidth)
            + ConvolutionF32Few.Floats(new() { OutputChannels = Size.Of(OutputChannels * KernelWidth), InputChannels = InputChannels, Groups = Groups,
                KernelHeight = Size.Of(1), KernelWidth = Size.Of(1) }));

    public readonly double Work => (double)Images * OutputHeight * OutputWidth * KernelHeight * KernelWidth * InputChannels * OutputChannels * Groups
        / Math.Max(1, StrideY * StrideX);

    /// <summary>Rows of zeros that are read before the first row of an image and behind the last one.</summary>
    public static (long Before, long Behind) BorderY(in ConvolutionTransposeF32Arguments a, long inputHeight) => Border(a.InputsY, inputHeight);

    /// <summary>Pixels of zeros that are read before the first pixel of a row and behind the last one.</summary>
    public static (long Before, long Behind) BorderX(in ConvolutionTransposeF32Arguments a, long inputWidth) => Border(a.InputsX, inputWidth);

    internal readonly bool IsWhole => ConvolutionTransposeF32Packing.IsWhole(Groups, KernelHeight, KernelWidth, (StrideY, StrideX), (DilationY, DilationX));

    /// <summary>Ordinary convolutions that the work is cut into: phases of both strides, or of rows alone where outputs have one tap each.</summary>
    internal readonly long Phases => IsWhole ? StrideY : StrideY * StrideX;

    /// <summary>Where outputs have one tap each: inputs of a row.</summary>
    internal readonly long WholePixels => (OutputWidth - 1 + PadLeft) / StrideX - PadLeft / StrideX + 1;

    /// <summary>The most tiles that a phase has. Phases differ by a row and a pixel at most.</summary>
    internal readonly long TilesOfPhase
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        get
        {
            long most = 0;
            var whole = IsWhole;
            for (var i = 0; i < 4; i++)
            {
                ConvolutionF32Arguments phase = new()
                {
                    Images = Images, OutputHeight = Size.Of((OutputHeight + (i & 1) * (StrideY - 1)) / StrideY), Groups = Groups,
                    OutputWidth = Size.Of(whole ? WholePixels : (OutputWidth + (i >> 1) * (StrideX - 1)) / StrideX),
                    OutputChannels = whole ? Size.Of(OutputChannels * KernelWidth) : OutputChannels,
                };
                most = Math.Max(most, phase.Tiles);
            }
            return most;
        }
    }

    private readonly (long First, long Last) InputsY => Reached(KernelHeight, StrideY, DilationY, PadTop, OutputHeight);

    private readonly (long First, long Last) InputsX => Reached(KernelWidth, StrideX, DilationX, PadLeft, OutputWidth);

    private static (long Before, long Behind) Border((long First, long Last) inputs, long size) =>
        (Math.Max(0, -inputs.First), Math.Max(0, inputs.Last - size + 1));

    // The first and the last input that an output sees; the last before the first for none.
    private static (long First, long Last) Reached(long kernel, long stride, long dilation, long pad, long outputs)
    {
        var (first, last) = (long.MaxValue, long.MinValue);
        for (long output = 0; output < Math.Min(stride, outputs); output++)
        {
            TransposedAxis axis = new(kernel, stride, dilation, (output + pad) % stride);
            if (axis.Taps == 0) continue;
            var input = axis.InputAt(output + pad);
            first = Math.Min(first, input);
            last = Math.Max(last, input + (outputs - 1 - output) / stride + (axis.Taps - 1) * axis.Dilation);
        }
        return (first, last);
    }
}

/// <summary>A panel of sums of a few inputs, where they are, and what a vector may read beyond them.</summary>
internal unsafe struct TransposedSums
{
    /// <summary>The most inputs that a path computes at once.</summary>
    public const int MostRows = 14;

    public fixed long Offsets[MostRows];
    public fixed float Values[MostRows * Panels.Wide + 16];
}

/// <summary>
/// Transposed convolution as ordinary ones, by the tiles of <see cref="ConvolutionF32"/>. Where outputs have one tap each, there is one of 1x1 for each row of
/// the kernel, which makes the outputs of an input that lie in a row, side by side: they are stored as the channels of a wide pixel, or moved to their places
/// where Y has gaps or not all of them. Otherwise there is one for each phase of the strides, whose outputs are a stride apart. Tiles of all phases follow each
/// other for the same inputs.
/// </summary>
internal static unsafe class ConvolutionTransposeF32
{
    private const long MostTogether = 8;

    public static delegate*<ConvolutionTransposeF32Arguments*, long, long, byte*, void> Select<TPath, L, V>(in ConvolutionTransposeF32Arguments a)
        where TPath : struct, IConvolutionF32Path where L : struct, ILanes<V> where V : unmanaged => a.IsWhole ? &RunWhole<TPath, L, V> : &Run<TPath, L, V>;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunWhole<TPath, L, V>(ConvolutionTransposeF32Arguments* a, long first, long last, byte* scratch)
        where TPath : struct, IConvolutionF32Path where L : struct, ILanes<V> where V : unmanaged
    {
        // Without tiles there is no scratch memory either.
        if (first >= last) return;
        long strideY = a->StrideY, strideX = a->StrideX, channels = a->OutputChannels, wide = channels * strideX;
        var sums = (TransposedSums*)(scratch + sizeof(ConvolutionF32Offsets));
        for (var i = 0; i < TransposedSums.MostRows; i++) sums->Offsets[i] = i * Panels.Wide;
        var bias = (float*)(sums + 1);
        for (long i = 0, c = 0; i < Panels.PaddedColumns(wide); i++, c = c + 1 == channels ? 0 : c + 1)
            bias[i] = i < wide && a->Bias.IsPresent ? ((float*)a->Bias)[c] : 0;
        var few = (float*)(scratch + sizeof(ConvolutionF32Offsets) + sizeof(TransposedSums) + sizeof(float) * Panels.PaddedColumns(wide));
        var residual = a->Residual.IsPresent;
        var direct = a->YPixel == channels && a->PadLeft == 0 && a->OutputWidth % strideX == 0 && (!residual || a->ResidualPixel == channels);
        ConvolutionF32Arguments c1 = new()
        {
            Bias = Operand.At(bias), Images = a->Images, InputChannels = a->InputChannels, OutputChannels = Size.Of(wide), Groups = Size.Of(1),
            OutputWidth = Size.Of(a->WholePixels), KernelHeight = Size.Of(1), KernelWidth = Size.Of(1), DilationY = Size.Of(1), DilationX = Size.Of(1),
            StrideY = Size.Of(1), StrideX = Size.Of(1), XPixel = a->XPixel, XRow = a->XRow, XImage = a->XImage, YPixel = Size.Of(a->YPixel * strideX),
            YRow = Size.Of(a->YRow * strideY), YImage = a->YImage, ResidualPixel = Size.Of(a->ResidualPixel * strideX),
            ResidualRow = Size.Of(a->ResidualRow * strideY), ResidualImage = a->ResidualImage, Activation = a->Activation, Alpha = a->Alpha, Beta = a->Beta,
            Minimum = a->Minimum, Maximum = a->Maximum,
        };
        long phase = first % strideY, tiles = Together(first, last, strideY);
        for (var t = first; t < last; t += Next(ref phase, ref tiles, t, last, strideY))
        {
            // The first output row of the phase.
            long tile = t / strideY, row = phase;
            if (row >= a->OutputHeight) continue;
            c1.OutputHeight = Size.Of((a->OutputHeight - row - 1) / strideY + 1);
            var end = Math.Min(tile + tiles, c1.Tiles);
            if (tile >= end) continue;
            long input = (row + a->PadTop) / strideY, tap = row + a->PadTop - input * strideY, pixel = a->PadLeft / strideX;
            // Before the first output, where it is cut off.
            var cut = a->PadLeft - pixel * strideX;
            c1.X = Operand.At((float*)a->X + input * a->XRow + pixel * a->XPixel);
            c1.W = Operand.At((float*)a->W + tap * Panels.PaddedColumns(wide) * a->InputChannels);
            c1.Y = Operand.At((float*)a->Y + row * a->YRow - cut * a->YPixel);
            if (ConvolutionF32Few.Floats(c1) == 0) few = null;
            if (residual) c1.Residual = Operand.At((float*)a->Residual + row * a->ResidualRow - cut * a->ResidualPixel);
            if (direct) ConvolutionF32.Run<TPath, L, V>(&c1, tile, end, scratch, few);
            else
            {
                for (; tile < end; tile++) Move<TPath, L, V>(a, &c1, tile, cut, (ConvolutionF32Offsets*)scratch, sums);
            }
        }
    }

    // How many tiles of a phase run one after the other, before those of the next phase for the same inputs: all phases must have them in the range.
    private static long Together(long t, long last, long phases) => t % phases == 0 && last - t >= phases ? Math.Min(MostTogether, (last - t) / phases) : 1;

    // How far it is to the next tile: of the next phase, or behind the tiles that all phases have run.
    private static long Next(ref long phase, ref long tiles, long t, long last, long phases)
    {
        if (++phase < phases) return 1;
        var step = 1 + (tiles - 1) * phases;
        phase = 0;
        tiles = Together(t + step, last, phases);
        return step;
    }

    // A tile whose sums are moved to the outputs that there are.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Move<TPath, L, V>(ConvolutionTransposeF32Arguments* a, ConvolutionF32Arguments* c, long t, long cut, ConvolutionF32Offsets* offsets,
        TransposedSums* sums) where TPath : struct, IConvolutionF32Path where L : struct, ILanes<V> where V : unmanaged
    {
        delegate*<float*, long, in ActivationParameters, void> activation = FusedActivation.Select(a->Activation);
        ActivationParameters parameters = new(a->Alpha, a->Beta, a->Minimum, a->Maximum);
        ActivationParameters limits = activation == null ? parameters : new(0, 0, float.NegativeInfinity, float.PositiveInfinity);
        ConvolutionF32Blocks blocks = new(*c);
        long panels = t / blocks.PixelBlocks, block = t - panels * blocks.PixelBlocks, channels = a->OutputChannels, wide = c->OutputChannels;
        long panel = panels * blocks.BlockPanels, end = Math.Min(panel + blocks.BlockPanels, blocks.Panels);
        long start = block * blocks.BlockPixels, count = Math.Min(blocks.Pixels - start, blocks.BlockPixels);
        ConvolutionF32.Locate(c, offsets, start, count);
        ConvolutionF32Tile tile = new()
        {
            X = c->X, TapsY = 1, TapsX = 1, Run = c->InputChannels, Y = sums->Values, YOffsets = sums->Offsets, Minimum = float.NegativeInfinity,
            Maximum = float.PositiveInfinity,
        };
        for (; panel < end; panel++)
        {
            var column = panel * Panels.Wide;
            tile.Width = Panels.WidthAt(column, wide);
            tile.Columns = (int)Math.Min(wide - column, tile.Width);
            tile.W = (float*)c->W + column * c->InputChannels;
            tile.Start = (float*)c->Bias + column;
            long parts = (count + TPath.MostRows - 1) / TPath.MostRows, done = 0, firstTap = column / channels, firstChannel = column - firstTap * channels;
            for (long part = 0; part < parts; part++)
            {
                tile.Rows = (int)((count - done + parts - part - 1) / (parts - part));
                tile.XOffsets = offsets->X + done;
                TPath.Run(&tile);
                for (var r = 0; r < tile.Rows; r++, done++)
                {
                    float* y = (float*)c->Y + offsets->Y[done], residual = c->Residual.IsPresent ? (float*)c->Residual + offsets->Residual[done] : null;
                    var output = (start + done) % c->OutputWidth * a->StrideX - cut + firstTap;
                    long tap = firstTap, channel = firstChannel;
                    for (long i = 0, length; i < tile.Columns; i += length, tap++, output++, channel = 0)
                    {
                        length = Math.Min(tile.Columns - i, channels - channel);
                        if (output < 0 || output >= a->OutputWidth) continue;
                        var target = y + tap * a->YPixel + channel;
                        Add<L, V>(sums->Values + r * Panels.Wide + i, residual == null ? null : residual + tap * a->ResidualPixel + channel, target, length,
                            limits);
                        if (activation != null) activation(target, length, parameters);
                    }
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<L, V>(float* from, float* residual, float* to, long count, in ActivationParameters limits)
        where L : struct, ILanes<V> where V : unmanaged
    {
        V low = L.Create(limits.Minimum), high = L.Create(limits.Maximum);
        for (long i = 0; i < count; i += L.Count)
        {
            V sum = L.Load(from + i);
            if (residual != null) sum = L.Add(sum, L.Load(residual + i));
            sum = L.AtMost(high, L.AtLeast(low, sum));
            if (i <= count - L.Count) L.Store(to + i, sum);
            else L.StoreFirst(to + i, sum, L.Mask((int)(count - i)), (int)(count - i));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TPath, L, V>(ConvolutionTransposeF32Arguments* a, long first, long last, byte* scratch)
        where TPath : struct, IConvolutionF32Path where L : struct, ILanes<V> where V : unmanaged
    {
        long phases = a->Phases, strideX = a->StrideX, strideY = a->StrideY;
        ConvolutionF32Arguments c = new()
        {
            Bias = a->Bias, Images = a->Images, InputChannels = a->InputChannels, OutputChannels = a->OutputChannels, Groups = a->Groups,
            StrideY = Size.Of(1), StrideX = Size.Of(1), XPixel = a->XPixel, XRow = a->XRow, XImage = a->XImage,
            YPixel = Size.Of(a->YPixel * strideX), YRow = Size.Of(a->YRow * strideY), YImage = a->YImage,
            ResidualPixel = Size.Of(a->ResidualPixel * strideX), ResidualRow = Size.Of(a->ResidualRow * strideY), ResidualImage = a->ResidualImage,
            Activation = a->Activation, Alpha = a->Alpha, Beta = a->Beta, Minimum = a->Minimum, Maximum = a->Maximum,
        };
        long tapWeights = a->Groups * Panels.PaddedColumns(a->OutputChannels) * a->InputChannels;
        long phase = first % phases, tiles = Together(first, last, phases);
        for (var t = first; t < last; t += Next(ref phase, ref tiles, t, last, phases))
        {
            // The first output of the phase.
            long tile = t / phases, outputY = phase / strideX, outputX = phase - outputY * strideX;
            if (outputY >= a->OutputHeight || outputX >= a->OutputWidth) continue;
            c.OutputHeight = Size.Of((a->OutputHeight - outputY - 1) / strideY + 1);
            c.OutputWidth = Size.Of((a->OutputWidth - outputX - 1) / strideX + 1);
            var end = Math.Min(tile + tiles, c.Tiles);
            if (tile >= end) continue;
            long phaseY = (outputY + a->PadTop) % strideY, phaseX = (outputX + a->PadLeft) % strideX;
            TransposedAxis y = new(a->KernelHeight, strideY, a->DilationY, phaseY), x = new(a->KernelWidth, strideX, a->DilationX, phaseX);
            c.KernelHeight = Size.Of(x.Taps == 0 ? 0 : y.Taps);
            c.KernelWidth = Size.Of(y.Taps == 0 ? 0 : x.Taps);
            c.DilationY = Size.Of(y.Dilation);
            c.DilationX = Size.Of(x.Dilation);
            // Weights of the phases before this one.
            long tapsBefore = 0;
            for (long p = 0; p < phaseY; p++) tapsBefore += new TransposedAxis(a->KernelHeight, strideY, a->DilationY, p).Taps * a->KernelWidth;
            for (long p = 0; p < phaseX; p++) tapsBefore += new TransposedAxis(a->KernelWidth, strideX, a->DilationX, p).Taps * y.Taps;
            c.W = Operand.At((float*)a->W + tapsBefore * tapWeights);
            c.X = c.KernelHeight == 0 ? a->X
                : Operand.At((float*)a->X + y.InputAt(outputY + a->PadTop) * a->XRow + x.InputAt(outputX + a->PadLeft) * a->XPixel);
            c.Y = Operand.At((float*)a->Y + outputY * a->YRow + outputX * a->YPixel);
            if (a->Residual.IsPresent)
                c.Residual = Operand.At((float*)a->Residual + outputY * a->ResidualRow + outputX * a->ResidualPixel);
            ConvolutionF32.Run<TPath, L, V>(&c, tile, end, scratch, null);
        }
    }
}
