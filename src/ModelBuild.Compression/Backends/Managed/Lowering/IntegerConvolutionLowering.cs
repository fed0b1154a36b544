using ModelBuild.Kernels;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>Conv between DequantizeLinear and QuantizeLinear: one integer kernel, with the activation as the output's range; or one that gives
/// floats.</summary>
internal static class IntegerConvolutionLowering
{
    // Each group is a call of its own: of many small ones, floats are faster.
    private const long MostGroups = 16;

    /// <summary>Lowers a Conv to an integer kernel, if it is one that those take; floats compute the same where it is not.</summary>
    public static bool TryLower(Lowering lowering, Node node)
    {
        if (QuantizationLowering.Integers(lowering, node.Inputs[0]) is not { } x || WeightsOf(lowering, node, x) is not { } weights
            || Window.Of(lowering, node, weights.Data.Shape.AsSpan()[2..]) is not { } window)
            return false;
        var shape = lowering.ShapeOf(node.Inputs[0]!);
        var (groups, outputs) = (node.Int("group", 1), weights.Data.Shape[0]);
        if (shape.Length != weights.Data.Rank || shape[1] is not { IsConstant: true, Value: var inputs } || inputs == 0 || outputs == 0)
            return false;
        var depthwise = groups > 1 && groups == inputs && groups == outputs;
        var target = QuantizationLowering.Target(lowering, node.Output);
        if (depthwise ? target is null : groups > MostGroups)
            return false;
        var view = ConvolutionLowering.AsImage(lowering.Read(x.Integers));
        var input = lowering.Images.Read(view, window.Pads, (byte)x.Zero, node);
        Value result;
        var (low, high) = (float.NegativeInfinity, float.PositiveInfinity);
        if (target is not null)
        {
            target.Take(lowering);
            result = target.Value;
        }
        else
            (result, low, high) = lowering.Activation(node.Output);
        var y = ConvolutionLowering.Output(lowering, result, node);
        var common = new Common(lowering, node, input, y, x, target, low, high,
            [.. weights.Scales.Select(s => IntegerDenseLowering.Multiplier(x.Scale, s, target?.Scale))], weights.Bias);
        var values = weights.Data.Span<sbyte>();
        if (depthwise)
            Depthwise(common, window, values);
        else if (groups == 1 && window is { Kernel: (3, 3), Strides: (1, 1), Dilations: (1, 1) } && PaysByWinograd(inputs, outputs))
            Winograd(common, values);
        else
            General(common, window, values, (int)groups, (int)(inputs / groups), (int)(outputs / groups));
        return true;
    }

    // Measured (docs/results/kernels.md): transforms cannot be spread over few channels.
    private static bool PaysByWinograd(long inputs, long outputs) => inputs >= 32 && outputs >= 32
        && inputs <= ConvolutionInt8WinogradArguments.MostInputChannels;

    private sealed record Weights(Tensor Data, float[] Scales, int[]? Bias);

    /// <summary>Weights of int8 without zero points, one scale or one an output channel, and a bias in units of both scales.</summary>
    private static Weights? WeightsOf(Lowering lowering, Node node, QuantizedValue x)
    {
        if (node.Inputs[1]?.Producer is not { OpType: "DequantizeLinear", Domain.Length: 0 } unpacked
            || lowering.ConstantOf(unpacked.Inputs[0]) is not { ElementType: ElementType.Int8, Rank: 3 or 4 } data
            || lowering.ConstantOf(unpacked.Inputs[1]) is not { ElementType: ElementType.Float } scales
            || scales.Length != 1 && (scales.Length != data.Shape[0] || unpacked.Int("axis", 1) is var axis && axis != 0 && axis != -data.Rank)
            || unpacked.Input(2) is { } zero && (lowering.ConstantOf(zero) is not { } zeros || Numbers.Integers(zeros).Any(static z => z != 0)))
            return null;
        var each = scales.Length == 1 ? [.. Enumerable.Repeat(scales.Span<float>()[0], (int)data.Shape[0])] : scales.ToArray<float>();
        if (node.Input(2) is null)
            return new(data, each, null);
        var bias = node.Input(2)!.Producer is { OpType: "DequantizeLinear" } b ? b : null;
        return IntegerDenseLowering.IsBias(lowering, bias, each, x.Scale) ? new(data, each, lowering.ConstantOf(bias!.Inputs[0])!.ToArray<int>()) : null;
    }

    /// <summary>What all integer convolution kernels are told.</summary>
    private sealed record Common(Lowering Lowering, Node Node, TensorView X, TensorView Y, QuantizedValue Input, QuantizedOutput? Target, float Low, float High,
        float[] Multipliers, int[]? Biases)
    {
        public Size Size(Dimension dimension) => Lowering.Size(dimension);

        public Operand Multiplier(int first, int count) => Lowering.Packed<float>(Packings.Raw, Multipliers.AsSpan(first, count));

        public Operand Bias(int first, int count) => Biases is null ? Operand.Absent : Lowering.Packed<int>(Packings.Raw, Biases.AsSpan(first, count));

        public Size YZero => Size(Target?.Zero ?? 0);

        public Size YMinimum => Size(Target?.Minimum ?? 0);

        public Size YMaximum => Size(Target?.Maximum ?? 0);

        public static bool IsNarrow(ReadOnlySpan<sbyte> weights) => DenseInt8Packing.PackingFor(weights) == Packings.DenseInt7;
    }

    private static void General(Common c, Window window, ReadOnlySpan<sbyte> weights, int groups, int inputs, int outputs)
    {
        var byPixel = window.Kernel.X > 1 && (groups > 1 || window.Dilations.X != 1 || c.X.Strides[3] != inputs);
        var count = outputs * inputs * (int)(window.Kernel.Y * window.Kernel.X);
        for (var g = 0; g < groups; g++)
        {
            var part = weights.Slice(g * count, count);
            var x = groups == 1 ? c.X : ViewLowering.Sliced(c.X, 1, g * inputs, inputs);
            var y = groups == 1 ? c.Y : ViewLowering.Sliced(c.Y, 1, g * outputs, outputs);
            var packing = DenseInt8Packing.PackingFor(part);
            c.Lowering.Call(new ConvolutionInt8Arguments
            {
                XType = x.Type, YType = y.Type, X = c.Lowering.Operand(x),
                W = c.Lowering.Packed<byte>(packing, ConvolutionInt8Packing.Pack(part, outputs, inputs, (int)window.Kernel.Y, (int)window.Kernel.X, byPixel)),
                Bias = c.Bias(g * outputs, outputs), Multiplier = c.Multiplier(g * outputs, outputs), Y = c.Lowering.Operand(y), Images = c.Size(y.Extents[0]),
                InputChannels = c.Size(inputs), OutputRows = c.Size(y.Extents[2]), OutputColumns = c.Size(y.Extents[3]), OutputChannels = c.Size(outputs),
                KernelRows = c.Size(window.Kernel.Y), KernelColumns = c.Size(window.Kernel.X), StrideRows = c.Size(window.Strides.Y),
                StrideColumns = c.Size(window.Strides.X), DilationRows = c.Size(window.Dilations.Y), DilationColumns = c.Size(window.Dilations.X),
                XPixel = c.Size(x.Strides[3]), XRow = c.Size(x.Strides[2]), XImage = c.Size(x.Strides[0]), YPixel = c.Size(y.Strides[3]),
                YRow = c.Size(y.Strides[2]), YImage = c.Size(y.Strides[0]), ByPixel = c.Size(byPixel ? 1 : 0),
                Narrow = c.Size(packing == Packings.DenseInt7 ? 1 : 0), XZero = c.Size(c.Input.Zero), YZero = c.YZero, YMinimum = c.YMinimum,
                YMaximum = c.YMaximum, Minimum = c.Low, Maximum = c.High,
            }, c.Node.DisplayName);
        }
    }

    private static void Winograd(Common c, ReadOnlySpan<sbyte> weights)
    {
        var (inputs, outputs) = ((int)c.X.Extents[1].Value, (int)c.Y.Extents[1].Value);
        c.Lowering.Call(new ConvolutionInt8WinogradArguments
        {
            XType = c.X.Type, YType = c.Y.Type, X = c.Lowering.Operand(c.X),
            W = c.Lowering.PackedKernels(weights, outputs, inputs), Bias = c.Bias(0, outputs),
            Multiplier = c.Multiplier(0, outputs), Y = c.Lowering.Operand(c.Y), Images = c.Size(c.Y.Extents[0]), InputChannels = c.Size(inputs),
            OutputRows = c.Size(c.Y.Extents[2]), OutputColumns = c.Size(c.Y.Extents[3]), OutputChannels = c.Size(outputs), XPixel = c.Size(c.X.Strides[3]),
            XRow = c.Size(c.X.Strides[2]), XImage = c.Size(c.X.Strides[0]), YPixel = c.Size(c.Y.Strides[3]), YRow = c.Size(c.Y.Strides[2]),
            YImage = c.Size(c.Y.Strides[0]), XZero = c.Size(c.Input.Zero), YZero = c.YZero, YMinimum = c.YMinimum, YMaximum = c.YMaximum, Minimum = c.Low,
            Maximum = c.High,
        }, c.Node.DisplayName);
    }

    private static void Depthwise(Common c, Window window, ReadOnlySpan<sbyte> weights)
    {
        var channels = (int)c.X.Extents[1].Value;
        var narrow = Common.IsNarrow(weights);
        c.Lowering.Call(new DepthwiseInt8Arguments
        {
            XType = c.X.Type, YType = c.Y.Type, X = c.Lowering.Operand(c.X), W = c.Lowering.Packed<byte>(narrow ? Packings.DepthwiseInt7
                : Packings.DepthwiseInt8,
                DepthwiseInt8Packing.Pack(weights, channels, (int)window.Kernel.Y, (int)window.Kernel.X)),
            Bias = c.Bias(0, channels), Multiplier = c.Multiplier(0, channels), Y = c.Lowering.Operand(c.Y), Images = c.Size(c.Y.Extents[0]),
            OutputRows = c.Size(c.Y.Extents[2]), OutputColumns = c.Size(c.Y.Extents[3]), Channels = c.Size(channels), KernelRows = c.Size(window.Kernel.Y),
            KernelColumns = c.Size(window.Kernel.X), StrideRows = c.Size(window.Strides.Y), StrideColumns = c.Size(window.Strides.X),
            DilationRows = c.Size(window.Dilations.Y), DilationColumns = c.Size(window.Dilations.X), XPixel = c.Size(c.X.Strides[3]),
            XRow = c.Size(c.X.Strides[2]), XImage = c.Size(c.X.Strides[0]), YPixel = c.Size(c.Y.Strides[3]), YRow = c.Size(c.Y.Strides[2]),
            YImage = c.Size(c.Y.Strides[0]), Narrow = c.Size(narrow ? 1 : 0), XZero = c.Size(c.Input.Zero), YZero = c.YZero, YMinimum = c.YMinimum,
            YMaximum = c.YMaximum,
        }, c.Node.DisplayName);
    }
}
