using ModelBuild.Kernels;

namespace ModelBuild.Benchmarks;

/// <summary>What computes a layer on images.</summary>
internal enum ImageKernel
{
    Convolution,
    Depthwise,
    Winograd,
    Maximum,
    Average,
    Transposed,
}

/// <summary>A layer of a chain.</summary>
/// <param name="Kernel">What computes it.</param>
/// <param name="Outputs">Channels of the output.</param>
/// <param name="Height">Height of the kernel.</param>
/// <param name="Width">Width of the kernel.</param>
/// <param name="Stride">Both strides.</param>
/// <param name="Pad">Rows and pixels of padding on each side; cut off on each side of transposed convolutions.</param>
/// <param name="Groups">Groups of channels.</param>
internal sealed record ImageLayer(ImageKernel Kernel, int Outputs, int Height, int Width, int Stride, (int Y, int X) Pad, int Groups = 1)
{
    public bool IsTransposed => Kernel == ImageKernel.Transposed;

    public bool IsPool => Kernel is ImageKernel.Maximum or ImageKernel.Average;

    public int OutputHeight(int height) => Output(height, Height, Pad.Y);

    public int OutputWidth(int width) => Output(width, Width, Pad.X);

    private int Output(int size, int kernel, int pad) => IsTransposed ? (size - 1) * Stride + kernel - 2 * pad : (size + 2 * pad - kernel) / Stride + 1;

    /// <summary>Rows and pixels of zeros that the kernel reads around its input: above, to the left, below, to the right.</summary>
    public (int Top, int Left, int Bottom, int Right) Border(int height, int width)
    {
        if (IsPool) return default;
        if (!IsTransposed) return (Pad.Y, Pad.X, Pad.Y, Pad.X);
        ConvolutionTransposeF32Arguments call = new()
        {
            OutputHeight = Size.Of(OutputHeight(height)), OutputWidth = Size.Of(OutputWidth(width)), KernelHeight = Size.Of(Height),
            KernelWidth = Size.Of(Width), StrideY = Size.Of(Stride), StrideX = Size.Of(Stride), DilationY = Size.Of(1), DilationX = Size.Of(1),
            PadTop = Size.Of(Pad.Y),
            PadLeft = Size.Of(Pad.X),
        };
        var (top, bottom) = ConvolutionTransposeF32Arguments.BorderY(call, height);
        var (left, right) = ConvolutionTransposeF32Arguments.BorderX(call, width);
        return ((int)top, (int)left, (int)bottom, (int)right);
    }
}
