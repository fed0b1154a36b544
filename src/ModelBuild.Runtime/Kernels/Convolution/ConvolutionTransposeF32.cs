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
        new("avx512", Vector512.IsHardwareAccelerated && Avx512F.IsSupported, &ConvolutionTransposeF32.Run<ConvolutionF32Avx512>),
        new("avx2", Fma.IsSupported, &ConvolutionTransposeF32.Run<ConvolutionF32Fma>),
        new("vector128", true, &ConvolutionTransposeF32.Run<ConvolutionF32Vector128>));

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
        check.Bytes(W, checked(sizeof(float) * ConvolutionTransposeF32Packing.Length(Groups, OutputChannels, InputChannels, KernelHeight, KernelWidth)));
        check.Bytes(Bias, sizeof(float) * channels);
        ImageView.Reach(check, Y, (Images, YImage), (OutputHeight, YRow), (OutputWidth, YPixel), channels);
        ImageView.Reach(check, Residual, (Images, ResidualImage), (OutputHeight, ResidualRow), (OutputWidth, ResidualPixel), channels);
    }

    public readonly long Tiles => Phases * TilesOfPhase;

    public readonly long Scratch => sizeof(ConvolutionF32Offsets);

    public readonly double Work => (double)Images * OutputHeight * OutputWidth * KernelHeight * KernelWidth * InputChannels * OutputChannels * Groups
        / Math.Max(1, StrideY * StrideX);

    /// <summary>Rows of zeros that are read before the first row of an image and behind the last one.</summary>
    public static (long Before, long Behind) BorderY(in ConvolutionTransposeF32Arguments a, long inputHeight) => Border(a.InputsY, inputHeight);

    /// <summary>Pixels of zeros that are read before the first pixel of a row and behind the last one.</summary>
    public static (long Before, long Behind) BorderX(in ConvolutionTransposeF32Arguments a, long inputWidth) => Border(a.InputsX, inputWidth);

    internal readonly long Phases => StrideY * StrideX;

    /// <summary>The most tiles that a phase has. Phases differ by a row and a pixel at most.</summary>
    internal readonly long TilesOfPhase
    {
        get
        {
            long most = 0;
            for (var i = 0; i < 4; i++)
            {
                ConvolutionF32Arguments phase = new()
                {
                    Images = Images, OutputHeight = Size.Of((OutputHeight + (i & 1) * (StrideY - 1)) / StrideY), Groups = Groups,
                    OutputWidth = Size.Of((OutputWidth + (i >> 1) * (StrideX - 1)) / StrideX), OutputChannels = OutputChannels,
                };
                most = Math.Max(most, phase.Tiles);
            }
            return most;
        }
    }

    private readonly (long First, long Last) InputsY => Inputs(KernelHeight, StrideY, DilationY, PadTop, OutputHeight);

    private readonly (long First, long Last) InputsX => Inputs(KernelWidth, StrideX, DilationX, PadLeft, OutputWidth);

    private static (long Before, long Behind) Border((long First, long Last) inputs, long size) =>
        (Math.Max(0, -inputs.First), Math.Max(0, inputs.Last - size + 1));

    // The first and the last input that an output sees; the last before the first for none.
    private static (long First, long Last) Inputs(long kernel, long stride, long dilation, long pad, long outputs)
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

/// <summary>
/// Transposed convolution: for each phase of the strides an ordinary one, by the tiles of <see cref="ConvolutionF32"/>, whose outputs are a stride apart.
/// Tiles of all phases follow each other for the same inputs.
/// </summary>
internal static unsafe class ConvolutionTransposeF32
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TPath>(ConvolutionTransposeF32Arguments* a, long first, long last, byte* scratch) where TPath : struct, IConvolutionF32Path
    {
        long phases = a->Phases, strideX = a->StrideX, strideY = a->StrideY;
        ConvolutionF32Arguments c = new()
        {
            Bias = a->Bias, Images = a->Images, InputChannels = a->InputChannels, OutputChannels = a->OutputChannels, Groups = a->Groups,
            StrideY = Size.Of(1), StrideX = Size.Of(1), XPixel = a->XPixel, XRow = a->XRow, XImage = a->XImage,
            YPixel = Size.Of(a->YPixel * strideX), YRow = Size.Of(a->YRow * strideY), YImage = a->YImage,
            ResidualPixel = Size.Of(a->ResidualPixel * strideX), ResidualRow = Size.Of(a->ResidualRow * strideY), ResidualImage = a->ResidualImage, Activation = a->Activation, Alpha = a->Alpha, Beta = a->Beta, Minimum = a->Minimum, Maximum = a->Maximum,
        };
        long tapWeights = a->Groups * Panels.PaddedColumns(a->OutputChannels) * a->InputChannels;
        for (var t = first; t < last; t++)
        {
            // The first output of the phase.
            long tile = t / phases, outputY = (t - tile * phases) / strideX, outputX = t - tile * phases - outputY * strideX;
            if (outputY >= a->OutputHeight || outputX >= a->OutputWidth) continue;
            c.OutputHeight = Size.Of((a->OutputHeight - outputY - 1) / strideY + 1);
            c.OutputWidth = Size.Of((a->OutputWidth - outputX - 1) / strideX + 1);
            if (tile >= c.Tiles) continue;
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
            ConvolutionF32.Run<TPath>(&c, tile, tile + 1, scratch);
        }
    }
}
