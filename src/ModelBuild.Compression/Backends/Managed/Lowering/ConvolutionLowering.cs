using System.Collections.Immutable;
using ModelBuild.Kernels;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>Conv of images and signals by constant weights: dense, in groups, depthwise, and 3x3 by Winograd where that pays and the plan has it.</summary>
internal static class ConvolutionLowering
{
    public static IEnumerable<KeyValuePair<string, OperatorLowering>> Operators => [new("Conv", new(Lower))];

    private static void Lower(Lowering lowering, Node node)
    {
        if (IntegerConvolutionLowering.TryLower(lowering, node))
            return;
        if (lowering.ConstantOf(node.Inputs[1]) is not { ElementType: ElementType.Float, Rank: 3 or 4 } weights
            || Window.Of(lowering, node, weights.Shape.AsSpan()[2..]) is not { } window)
            throw Lowering.Unsupported(node);
        float[]? bias = null;
        if (node.Input(2) is { } b)
            bias = lowering.ConstantOf(b) is { ElementType: ElementType.Float } c ? c.ToArray<float>() : throw Lowering.Unsupported(node);
        var x = AsImage(lowering.Read(node, 0));
        var groups = node.Int("group", 1);
        var (outputs, inputs) = (weights.Shape[0], x.Extents[1].IsConstant ? x.Extents[1].Value : throw Lowering.Unsupported(node));
        var signal = weights.Rank == 3;
        // A signal's neighbours speak of three dimensions; what they say of rows and columns holds for the image.
        var epilogue = Epilogue.Of(lowering, node.Output, residuals: true);
        var input = lowering.Images.Read(x, window.Pads, 0, node);
        var residual = epilogue.Residual is { } r ? lowering.Images.Read(AsImage(r), default, 0, node) : null;
        var y = Output(lowering, epilogue.Output, node);
        var bounded = new Common(lowering, node, input, y, residual, epilogue, bias is null ? Operand.Absent : lowering.Packed<float>(Packings.Raw, bias));
        var values = weights.Span<float>();
        if (groups > 1 && groups == inputs)
            Depthwise(bounded, window, values, inputs, outputs);
        else if (!signal && groups == 1 && window is { Kernel: (3, 3), Strides: (1, 1), Dilations: (1, 1) } && PaysByWinograd(inputs, outputs, y)
            && lowering.TakesWinograd(node))
            Winograd(bounded, values, inputs, outputs);
        else
            General(bounded, window, values, groups, inputs / groups, outputs / groups);
    }

    /// <summary>y = x * factor + shift, of each channel of an image its own: a depthwise convolution of one tap, with whatever follows.</summary>
    public static void Affine(Lowering lowering, Node node, TensorView x, float[] factors, float[] shifts)
    {
        var epilogue = Epilogue.Of(lowering, node.Output, residuals: true);
        var residual = epilogue.Residual is { } r ? lowering.Images.Read(r, default, 0, node) : null;
        var y = lowering.Images.Write(epilogue.Output, node);
        Depthwise(new(lowering, node, x, y, residual, epilogue, lowering.Packed<float>(Packings.Raw, shifts)), new((1, 1), (1, 1), (1, 1), default), factors,
            factors.Length, factors.Length);
    }

    /// <summary>
    /// Whether 36 products for 16 outputs are worth the transforms. Measured (docs/results/kernels.md): not for few channels, which transforms cannot be
    /// spread over, nor where an image is one square of 4x4.
    /// </summary>
    private static bool PaysByWinograd(long inputs, long outputs, TensorView y) => inputs >= 8 && outputs >= 8 && inputs * outputs <= 256 * 256
        && !(y.Extents[2] is { IsConstant: true, Value: <= 4 } && y.Extents[3] is { IsConstant: true, Value: <= 4 });

    /// <summary>A value as [N,C,H,W].</summary>
    public static TensorView AsImage(TensorView view) => view.Rank switch
    {
        3 => ViewLowering.Inserted(view, 2),
        4 => view,
        _ => throw new NotLoweredException($"images of {view.Rank} dimensions have no managed kernel"),
    };

    /// <summary>Where the result goes, as an image.</summary>
    public static TensorView Output(Lowering lowering, Value value, Node node)
    {
        var shape = lowering.ShapeOf(value);
        if (shape.Length == 4)
            return lowering.Images.Write(value, node);
        var image = lowering.Images.Allocate([shape[0], shape[1], 1, shape[2]], lowering.TypeOf(value), null, node.DisplayName);
        lowering.Place(value, ViewLowering.Removed(image, 2));
        return image;
    }

    /// <summary>What all convolution kernels are told.</summary>
    private sealed record Common(Lowering Lowering, Node Node, TensorView X, TensorView Y, TensorView? Residual, Epilogue Epilogue, Operand Bias)
    {
        public Size Size(Dimension dimension) => Lowering.Size(dimension);

        public Size Stride(TensorView? view, int dimension) => Size(view is null ? 0 : view.Strides[dimension]);

        public Operand Operand(TensorView? view) => view is null ? Kernels.Operand.Absent : Lowering.Operand(view);
    }

    private static void General(Common c, Window window, ReadOnlySpan<float> weights, long groups, long inputs, long outputs)
    {
        var packed = ConvolutionF32Packing.Pack(weights, (int)groups, (int)outputs, (int)inputs, (int)window.Kernel.Y, (int)window.Kernel.X);
        c.Lowering.Call(new ConvolutionF32Arguments
        {
            X = c.Operand(c.X), W = groups > 1 ? c.Lowering.Packed<float>(Packings.DenseF32, packed)
                : c.Lowering.PackedColumns(c.Node.Inputs[1], packed, (int)(inputs * window.Kernel.Y * window.Kernel.X), (int)outputs, outputsFirst: true),
            Bias = c.Bias, Residual = c.Operand(c.Residual), Y = c.Operand(c.Y), Images = c.Size(c.Y.Extents[0]), OutputHeight = c.Size(c.Y.Extents[2]),
            OutputWidth = c.Size(c.Y.Extents[3]), InputChannels = c.Size(inputs), OutputChannels = c.Size(outputs), Groups = c.Size(groups),
            KernelHeight = c.Size(window.Kernel.Y), KernelWidth = c.Size(window.Kernel.X), StrideY = c.Size(window.Strides.Y),
                StrideX = c.Size(window.Strides.X),
            DilationY = c.Size(window.Dilations.Y), DilationX = c.Size(window.Dilations.X), XPixel = c.Stride(c.X, 3), XRow = c.Stride(c.X, 2),
            XImage = c.Stride(c.X, 0), YPixel = c.Stride(c.Y, 3), YRow = c.Stride(c.Y, 2), YImage = c.Stride(c.Y, 0), ResidualPixel = c.Stride(c.Residual, 3),
            ResidualRow = c.Stride(c.Residual, 2), ResidualImage = c.Stride(c.Residual, 0), Activation = c.Size(c.Epilogue.Activation),
                Alpha = c.Epilogue.Alpha,
            Beta = c.Epilogue.Beta, Minimum = c.Epilogue.Minimum, Maximum = c.Epilogue.Maximum,
        }, c.Node.DisplayName);
    }

    private static void Depthwise(Common c, Window window, ReadOnlySpan<float> weights, long inputs, long outputs) =>
        c.Lowering.Call(new DepthwiseF32Arguments
        {
            X = c.Operand(c.X), W = c.Lowering.Packed<float>(Packings.DepthwiseF32,
                DepthwiseF32Packing.Pack(weights, (int)outputs, (int)window.Kernel.Y, (int)window.Kernel.X)),
            Bias = c.Bias, Residual = c.Operand(c.Residual), Y = c.Operand(c.Y), Images = c.Size(c.Y.Extents[0]), OutputHeight = c.Size(c.Y.Extents[2]),
            OutputWidth = c.Size(c.Y.Extents[3]), InputChannels = c.Size(inputs), Multiplier = c.Size(outputs / inputs), KernelHeight = c.Size(window.Kernel.Y),
            KernelWidth = c.Size(window.Kernel.X), StrideY = c.Size(window.Strides.Y), StrideX = c.Size(window.Strides.X),
                DilationY = c.Size(window.Dilations.Y),
            DilationX = c.Size(window.Dilations.X), XPixel = c.Stride(c.X, 3), XRow = c.Stride(c.X, 2), XImage = c.Stride(c.X, 0), YPixel = c.Stride(c.Y, 3),
            YRow = c.Stride(c.Y, 2), YImage = c.Stride(c.Y, 0), ResidualPixel = c.Stride(c.Residual, 3), ResidualRow = c.Stride(c.Residual, 2),
            ResidualImage = c.Stride(c.Residual, 0), Activation = c.Size(c.Epilogue.Activation), Alpha = c.Epilogue.Alpha, Beta = c.Epilogue.Beta,
            Minimum = c.Epilogue.Minimum, Maximum = c.Epilogue.Maximum,
        }, c.Node.DisplayName);

    private static void Winograd(Common c, ReadOnlySpan<float> weights, long inputs, long outputs) =>
        c.Lowering.Call(new WinogradF32Arguments
        {
            X = c.Operand(c.X), W = c.Lowering.PackedKernels(c.Node.Inputs[1], weights, (int)outputs, (int)inputs),
            Bias = c.Bias, Residual = c.Operand(c.Residual), Y = c.Operand(c.Y), Images = c.Size(c.Y.Extents[0]), OutputHeight = c.Size(c.Y.Extents[2]),
            OutputWidth = c.Size(c.Y.Extents[3]), InputChannels = c.Size(inputs), OutputChannels = c.Size(outputs), XPixel = c.Stride(c.X, 3),
            XRow = c.Stride(c.X, 2), XImage = c.Stride(c.X, 0), YPixel = c.Stride(c.Y, 3), YRow = c.Stride(c.Y, 2), YImage = c.Stride(c.Y, 0),
            ResidualPixel = c.Stride(c.Residual, 3), ResidualRow = c.Stride(c.Residual, 2), ResidualImage = c.Stride(c.Residual, 0),
            Activation = c.Size(c.Epilogue.Activation), Alpha = c.Epilogue.Alpha, Beta = c.Epilogue.Beta, Minimum = c.Epilogue.Minimum,
            Maximum = c.Epilogue.Maximum,
        }, c.Node.DisplayName);
}
