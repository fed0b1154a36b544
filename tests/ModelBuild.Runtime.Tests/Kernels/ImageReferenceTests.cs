using ModelBuild.Kernels;
using ModelBuild.TestModels;

namespace ModelBuild.Runtime.Tests;

/// <summary>Kernels on images against ONNX Runtime, whose images are channels-first: floats within 1e-5 of the largest value.</summary>
public sealed class ImageReferenceTests
{
    public static TheoryData<int> Pools => [.. Enumerable.Range(0, PoolCases.Shapes.Length).Where(i => PoolCases.Shapes[i].Channels > 0)];

    [Theory]
    [MemberData(nameof(Pools))]
    public void PoolF32_is_MaxPool_and_AveragePool(int shape)
    {
        for (var kind = PoolKind.Maximum; kind <= PoolKind.PaddedAverage; kind++) Pool(PoolCases.Shapes[shape] with { Kind = kind, Gap = 0 });
    }

    private static void Pool(PoolShape s)
    {
        TestView x = new(s.Images, s.Height, s.Width, s.Channels), y = new(s.Images, s.OutputHeight, s.OutputWidth, s.Channels);
        var values = new TestRandom(s.Height, s.Width, s.Channels).Floats(x.Length);
        List<(string, object)> attributes =
        [
            ("kernel_shape", new long[] { s.KernelHeight, s.KernelWidth }), ("strides", new long[] { s.Stride.Y, s.Stride.X }),
            ("dilations", new long[] { s.Dilation.Y, s.Dilation.X }),
            ("pads", new long[] { s.Pads.Top, s.Pads.Left, s.Pads.Bottom, s.Pads.Right }),
            ("ceil_mode", s.Ceiling ? 1 : 0),
        ];
        if (s.Kind == PoolKind.PaddedAverage) attributes.Add(("count_include_pad", 1));
        var model = new OnnxWriter().Input("x", ModelElementType.Float, s.Images, s.Channels, s.Height, s.Width)
            .Output("y", ModelElementType.Float, s.Images, s.Channels, s.OutputHeight, s.OutputWidth)
            .Node(s.Kind == PoolKind.Maximum ? "MaxPool" : "AveragePool", ["x"], ["y"], [.. attributes]).ToArray();
        Close(OnnxRuntimeReferenceTests.Reference(model, ChannelsFirst(values, x), s.Images, s.Channels, s.Height, s.Width),
            ChannelsFirst(ImageCalls.Run(s.Call(x, y), new(values, x, y)), y));
    }

    public static TheoryData<int> Transposed => [.. Enumerable.Range(0, ConvolutionTransposeCases.Shapes.Length)
        .Where(i => ConvolutionTransposeCases.Shapes[i] is { OutputChannels: > 0, OutputHeight: > 0, Added: Added.Nothing, Activation: null })];

    [Theory]
    [MemberData(nameof(Transposed))]
    public void ConvolutionTransposeF32_is_ConvTranspose(int shape)
    {
        TransposedShape s = ConvolutionTransposeCases.Shapes[shape] with { Gap = 0, Limits = (float.NegativeInfinity, float.PositiveInfinity), Bias = true };
        (ImageOperands operands, var x, var w) = ConvolutionTransposeCases.Operands(s);
        Close(OnnxRuntimeReferenceTests.Reference(Model(s, operands, w), x, s.Images, operands.XView.Channels, s.Height, s.Width),
            ChannelsFirst(ConvolutionTransposeCases.Run(ConvolutionTransposeCases.Call(s), operands), operands.YView));
    }

    private static byte[] Model(TransposedShape s, ImageOperands operands, float[] w) => new OnnxWriter()
        .Input("x", ModelElementType.Float, s.Images, operands.XView.Channels, s.Height, s.Width)
        .Output("y", ModelElementType.Float, s.Images, operands.YView.Channels, s.OutputHeight, s.OutputWidth)
        .Constant<float>("w", w, operands.XView.Channels, s.OutputChannels, s.KernelHeight, s.KernelWidth)
        .Constant<float>("b", operands.Bias, operands.YView.Channels)
        .Node("ConvTranspose", ["x", "w", "b"], ["y"], ("kernel_shape", new long[] { s.KernelHeight, s.KernelWidth }),
            ("strides", new long[] { s.StrideY, s.StrideX }), ("dilations", new long[] { s.Dilation.Y, s.Dilation.X }),
            ("pads", new long[] { s.Pads.Top, s.Pads.Left, s.Pads.Bottom, s.Pads.Right }),
            ("output_padding", new long[] { s.Padding.Y, s.Padding.X }), ("group", s.Groups)).ToArray();

    private static float[] ChannelsFirst(float[] values, TestView view) =>
        [.. from n in Enumerable.Range(0, view.Images) from c in Enumerable.Range(0, view.Channels) from r in Enumerable.Range(0, view.Height)
            from p in Enumerable.Range(0, view.Width) select values[view.At(n, r, p, c)]];

    private static void Close(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        var most = expected.Max(MathF.Abs);
        for (var i = 0; i < expected.Length; i++)
            Assert.True(MathF.Abs(expected[i] - actual[i]) <= 1e-5f * most, $"element {i}: {expected[i]} and {actual[i]}");
    }
}
