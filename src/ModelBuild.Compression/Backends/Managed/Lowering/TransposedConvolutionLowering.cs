using ModelBuild.Kernels;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>ConvTranspose of images and signals by constant weights.</summary>
internal static class TransposedConvolutionLowering
{
    public static IEnumerable<KeyValuePair<string, OperatorLowering>> Operators => [new("ConvTranspose", new(Lower))];

    private static void Lower(Lowering lowering, Node node)
    {
        if (lowering.ConstantOf(node.Inputs[1]) is not { ElementType: ElementType.Float, Rank: 3 or 4 } weights
            || node.String("auto_pad", "NOTSET") is not ("NOTSET" or "VALID") || node.Ints("output_shape") is not null
            || Window.Of(lowering, node, weights.Shape.AsSpan()[2..]) is not { } window)
            throw Lowering.Unsupported(node);
        var bias = Operand.Absent;
        if (node.Input(2) is { } b)
            bias = lowering.ConstantOf(b) is { ElementType: ElementType.Float } c ? lowering.Packed<float>(Packings.Raw, c.Span<float>())
                : throw Lowering.Unsupported(node);
        var x = ConvolutionLowering.AsImage(lowering.Read(node, 0));
        var groups = node.Int("group", 1);
        var (inputs, outputs) = (weights.Shape[0] / groups, weights.Shape[1]);
        var epilogue = Epilogue.Of(lowering, node.Output, residuals: true);
        // Around the image lie as many zeros as taps reach beyond it.
        var around = Around(node, window);
        var input = lowering.Images.Read(x, around, 0, node);
        input = input with { Offset = input.Offset + input.Strides[2] * around.Top + input.Strides[3] * around.Left };
        var residual = epilogue.Residual is { } r ? lowering.Images.Read(ConvolutionLowering.AsImage(r), default, 0, node) : null;
        var y = ConvolutionLowering.Output(lowering, epilogue.Output, node);
        Size Of(Dimension d) => lowering.Size(d);
        Size Stride(TensorView? view, int d) => Of(view is null ? 0 : view.Strides[d]);
        lowering.Call(new ConvolutionTransposeF32Arguments
        {
            X = lowering.Operand(input), W = lowering.Packed<float>(Packings.ConvolutionTransposeF32, ConvolutionTransposeF32Packing.Pack(weights.Span<float>(),
                (int)groups, (int)outputs, (int)inputs, (int)window.Kernel.Y, (int)window.Kernel.X, ((int)window.Strides.Y, (int)window.Strides.X),
                ((int)window.Dilations.Y, (int)window.Dilations.X))),
            Bias = bias, Residual = residual is null ? Operand.Absent : lowering.Operand(residual), Y = lowering.Operand(y), Images = Of(y.Extents[0]),
            OutputHeight = Of(y.Extents[2]), OutputWidth = Of(y.Extents[3]), InputChannels = Of(inputs), OutputChannels = Of(outputs), Groups = Of(groups),
            KernelHeight = Of(window.Kernel.Y), KernelWidth = Of(window.Kernel.X), StrideY = Of(window.Strides.Y), StrideX = Of(window.Strides.X),
            DilationY = Of(window.Dilations.Y), DilationX = Of(window.Dilations.X), PadTop = Of(window.Pads.Top), PadLeft = Of(window.Pads.Left),
            XPixel = Of(input.Strides[3]), XRow = Of(input.Strides[2]), XImage = Of(input.Strides[0]), YPixel = Of(y.Strides[3]), YRow = Of(y.Strides[2]),
            YImage = Of(y.Strides[0]), ResidualPixel = Stride(residual, 3), ResidualRow = Stride(residual, 2), ResidualImage = Stride(residual, 0),
            Activation = Of(epilogue.Activation), Alpha = epilogue.Alpha, Beta = epilogue.Beta, Minimum = epilogue.Minimum, Maximum = epilogue.Maximum,
        }, node.DisplayName);
    }

    /// <summary>Rows and columns of zeros that the kernel reads around the image: taps that begin before it, and those that reach beyond.</summary>
    public static (long Top, long Left, long Bottom, long Right) Around(Node node, Window window)
    {
        var further = node.Ints("output_padding");
        var (y, x) = further is { Length: > 0 } ? (further.Length == 2 ? further[0] : 0, further[^1]) : (0, 0);
        long Beyond(long kernel, long stride, long dilation, long pad, long more) => Math.Max(0, ((kernel - 1) * dilation - pad + more) / stride);
        return (Beyond(window.Kernel.Y, window.Strides.Y, window.Dilations.Y, window.Pads.Top, 0),
            Beyond(window.Kernel.X, window.Strides.X, window.Dilations.X, window.Pads.Left, 0),
            Beyond(window.Kernel.Y, window.Strides.Y, window.Dilations.Y, window.Pads.Bottom, y),
            Beyond(window.Kernel.X, window.Strides.X, window.Dilations.X, window.Pads.Right, x));
    }
}
