namespace ModelBuild.Benchmarks;

/// <summary>What the command <c>kernels</c> measures: all rows of all families.</summary>
internal static class KernelTable
{
    /// <summary>A family, and work of it.</summary>
    /// <param name="Family">The kernel.</param>
    /// <param name="Name">The work: chains of four layers unless the name says one.</param>
    /// <param name="Create">Makes both ways to do it.</param>
    public sealed record Row(string Family, string Name, Func<string, Comparison> Create);

    public static readonly Row[] Rows =
    [
        Image("ConvolutionF32", "1x1, 32 to 16 to 32, 112x112", 112, 32, Dense(16), Dense(32), Dense(16), Dense(32)),
        Image("ConvolutionF32", "1x1, 24 to 96 to 24, 56x56", 56, 24, Dense(96), Dense(24), Dense(96), Dense(24)),
        Image("ConvolutionF32", "1x1, 64 to 192 to 64, 14x14", 14, 64, Dense(192), Dense(64), Dense(192), Dense(64)),
        Image("ConvolutionF32", "1x1, 160 to 576 to 160, 7x7", 7, 160, Dense(576), Dense(160), Dense(576), Dense(160)),
        Image("ConvolutionF32", "1x1, 512, 1x1", 1, 512, Four(Dense(512))),
        Image("ConvolutionF32", "3x3, 24, 64x64", 64, 24, Four(Dense(24, 3))),
        Image("ConvolutionF32", "3x3, 128, 28x28", 28, 128, Four(Dense(128, 3))),
        Image("ConvolutionF32", "3x3, 256, 14x14", 14, 256, Four(Dense(256, 3))),
        Image("ConvolutionF32", "3x3, 512, 7x7", 7, 512, Four(Dense(512, 3))),
        Image("ConvolutionF32", "3x3 s2, 3 to 32, 224x224, one", 224, 3, Dense(32, 3, 2)),
        Image("ConvolutionF32", "3x3, 64 to 1, 56x56, one", 56, 64, Dense(1, 3)),
        Image("ConvolutionF32", "3x3, 64 to 4, 56x56, one", 56, 64, Dense(4, 3)),
        Image("ConvolutionF32", "1x1, 64 to 2, 56x56, one", 56, 64, Dense(2)),
        Image("WinogradF32", "3x3, 16, 32x32", 32, 16, Four(Winograd(16))),
        Image("WinogradF32", "3x3, 24, 64x64", 64, 24, Four(Winograd(24))),
        Image("WinogradF32", "3x3, 64, 56x56", 56, 64, Four(Winograd(64))),
        Image("WinogradF32", "3x3, 128, 28x28", 28, 128, Four(Winograd(128))),
        Image("WinogradF32", "3x3, 256, 14x14", 14, 256, Four(Winograd(256))),
        Image("WinogradF32", "3x3, 512, 7x7", 7, 512, Four(Winograd(512))),
        Image("DepthwiseF32", "3x3, 32, 112x112", 112, 32, Four(Depthwise(32))),
        Image("DepthwiseF32", "3x3, 144, 56x56", 56, 144, Four(Depthwise(144))),
        Image("DepthwiseF32", "3x3 s2, 144, 56x56, one", 56, 144, Depthwise(144, 3, 2)),
        Image("DepthwiseF32", "3x3, 384, 14x14", 14, 384, Four(Depthwise(384))),
        Image("DepthwiseF32", "3x3, 960, 7x7", 7, 960, Four(Depthwise(960))),
        Image("DepthwiseF32", "5x5, 480, 14x14", 14, 480, Four(Depthwise(480, 5))),
        Image("DepthwiseF32", "5x5, 1152, 7x7", 7, 1152, Four(Depthwise(1152, 5))),
        Image("PoolF32", "maximum 2x2 s2, 32, 112x112, one", 112, 32, Pool(ImageKernel.Maximum, 32, 2, 2, 0)),
        Image("PoolF32", "maximum 3x3 s2, 64, 112x112, one", 112, 64, Pool(ImageKernel.Maximum, 64, 3, 2, 1)),
        Image("PoolF32", "maximum 3x3, 64, 28x28", 28, 64, Four(Pool(ImageKernel.Maximum, 64, 3, 1, 1))),
        Image("PoolF32", "maximum 5x5, 256, 20x20", 20, 256, Four(Pool(ImageKernel.Maximum, 256, 5, 1, 2))),
        Image("PoolF32", "maximum 2x2 s2, 6, 28x28, one", 28, 6, Pool(ImageKernel.Maximum, 6, 2, 2, 0)),
        Image("PoolF32", "maximum 2x2 s2, 1, 224x224, one", 224, 1, Pool(ImageKernel.Maximum, 1, 2, 2, 0)),
        Image("PoolF32", "maximum 3x3, 3, 64x64", 64, 3, Four(Pool(ImageKernel.Maximum, 3, 3, 1, 1))),
        Image("PoolF32", "average 2x2 s2, 128, 56x56, one", 56, 128, Pool(ImageKernel.Average, 128, 2, 2, 0)),
        Image("PoolF32", "average 3x3, 64, 28x28", 28, 64, Four(Pool(ImageKernel.Average, 64, 3, 1, 1))),
        Image("PoolF32", "average 7x7, 1024, 7x7, one", 7, 1024, Pool(ImageKernel.Average, 1024, 7, 1, 0)),
        Image("ConvolutionTransposeF32", "2x2 s2, 24, 160x160, one", 160, 24, Transposed(24, 2, 0)),
        Image("ConvolutionTransposeF32", "2x2 s2, 24 to 1, 160x160, one", 160, 24, Transposed(1, 2, 0)),
        Image("ConvolutionTransposeF32", "2x2 s2, 256 to 128, 28x28, one", 28, 256, Transposed(128, 2, 0)),
        Image("ConvolutionTransposeF32", "3x3 s2, 64 to 32, 56x56, one", 56, 64, Transposed(32, 3, 1)),
        Image("ConvolutionTransposeF32", "4x4 s2, 64 to 32, 56x56, one", 56, 64, Transposed(32, 4, 1)),
    ];

    private static Row Image(string family, string name, int size, int channels, params ImageLayer[] layers) =>
        new(family, name, n => ImageChain.Compare(n, size, size, channels, layers));

    private static ImageLayer Dense(int outputs, int kernel = 1, int stride = 1) =>
        new(ImageKernel.Convolution, outputs, kernel, kernel, stride, (kernel / 2, kernel / 2));

    private static ImageLayer Winograd(int outputs) => new(ImageKernel.Winograd, outputs, 3, 3, 1, (1, 1));

    private static ImageLayer Depthwise(int channels, int kernel = 3, int stride = 1) =>
        new(ImageKernel.Depthwise, channels, kernel, kernel, stride, (kernel / 2, kernel / 2), channels);

    private static ImageLayer Pool(ImageKernel kind, int channels, int kernel, int stride, int pad) =>
        new(kind, channels, kernel, kernel, stride, (pad, pad));

    private static ImageLayer Transposed(int outputs, int kernel, int pad) => new(ImageKernel.Transposed, outputs, kernel, kernel, 2, (pad, pad));

    private static ImageLayer[] Four(ImageLayer layer) => [layer, layer, layer, layer];
}
