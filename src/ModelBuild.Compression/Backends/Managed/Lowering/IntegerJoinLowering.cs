using ModelBuild.Kernels;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>Add, Sub, Mul, Concat and average pooling between DequantizeLinear and QuantizeLinear: kernels that read and write integers.</summary>
internal static class IntegerJoinLowering
{
    /// <summary>Arithmetic of two quantized values.</summary>
    public static bool TryBinary(Lowering lowering, Node node, BinaryOperation operation)
    {
        if (!BinaryInt8.Takes(operation) || node.Inputs.Count != 2 || QuantizationLowering.Integers(lowering, node.Inputs[0]) is not { } a
            || QuantizationLowering.Integers(lowering, node.Inputs[1]) is not { } b || QuantizationLowering.Target(lowering, node.Output) is not { } target)
            return false;
        target.Take(lowering);
        var (x, other) = (lowering.Read(a.Integers), lowering.Read(b.Integers));
        var y = lowering.WriteLike(target.Value, x, other);
        var nest = Nest.Of(lowering, y, longestInner: false, x, other);
        lowering.Call(new BinaryInt8Arguments
        {
            Operation = lowering.Size((long)operation), AType = x.Type, BType = other.Type, YType = y.Type, A = lowering.Operand(x),
                B = lowering.Operand(other),
            Y = lowering.Operand(y), Extents = nest.Extents, AStrides = nest.Strides[1], BStrides = nest.Strides[2], YStrides = nest.Strides[0],
            AZero = lowering.Size(a.Zero), BZero = lowering.Size(b.Zero), YZero = lowering.Size(target.Zero), YMinimum = lowering.Size(target.Minimum),
            YMaximum = lowering.Size(target.Maximum), AScale = a.Scale, BScale = b.Scale, YScale = target.Scale,
        }, node.DisplayName);
        return true;
    }

    /// <summary>A concatenation of quantized values: each is mapped as the result is.</summary>
    public static bool TryConcat(Lowering lowering, Node node)
    {
        if (node.Inputs.Any(i => QuantizationLowering.Integers(lowering, i) is null)
            || QuantizationLowering.Target(lowering, node.Output) is not { Activation: null } target)
            return false;
        target.Take(lowering);
        QuantizedValue[] parts = [.. node.Inputs.Select(i => QuantizationLowering.Integers(lowering, i)!)];
        var views = parts.Select(p => lowering.Read(p.Integers)).ToArray();
        var axis = (int)node.Int("axis");
        if (axis < 0)
            axis += views[0].Rank;
        var whole = Images.IsImage(views[0]) ? lowering.Images.Write(target.Value, node) : lowering.WriteLike(target.Value, views);
        Dimension start = 0;
        for (var i = 0; i < parts.Length; i++)
        {
            if (views[i].Elements != 0)
                QuantizationLowering.Remap(lowering, node, parts[i], ViewLowering.Sliced(whole, axis, start, views[i].Extents[axis]) with { Border = null },
                    target.Scale, target.Zero);
            start += views[i].Extents[axis];
        }
        return true;
    }

    /// <summary>AveragePool and GlobalAveragePool of quantized images.</summary>
    public static bool TryAverage(Lowering lowering, Node node)
    {
        var global = node.Is("GlobalAveragePool");
        if (QuantizationLowering.Integers(lowering, node.Inputs[0]) is not { } x || QuantizationLowering.Target(lowering,
            node.Output) is not { Activation: null } target
            || lowering.ShapeOf(node.Inputs[0]!) is not { Length: 3 or 4 } shape || lowering.TypeOf(x.Integers) != lowering.TypeOf(target.Value)
            || node.Int("ceil_mode") == 1 && node.Int("count_include_pad") == 1)
            return false;
        // The window of a global one is the whole image.
        var window = global ? null : node.Ints("kernel_shape") is { } kernel ? Window.Of(lowering, node, kernel) : null;
        if (!global && window is null || global && shape.Skip(2).Any(static d => d is { IsConstant: true, Value: 0 }))
            return false;
        target.Take(lowering);
        Pool(lowering, node, x, target.Value, global ? PoolInt8Kind.Mean : PoolInt8Kind.Average, window, target.Scale, target.Zero);
        return true;
    }

    /// <summary>MaxPool of integers.</summary>
    public static void Maximum(Lowering lowering, Node node, Window window) =>
        Pool(lowering, node, new(node.Inputs[0]!, 1, 0), node.Output, PoolInt8Kind.Max, window, 1, 0);

    private static void Pool(Lowering lowering, Node node, QuantizedValue input, Value output, PoolInt8Kind kind, Window? window, float scale, int zero)
    {
        var x = lowering.Images.Read(ConvolutionLowering.AsImage(lowering.Read(input.Integers)), default, 0, node);
        var y = ConvolutionLowering.Output(lowering, output, node);
        Size Of(Dimension d) => lowering.Size(d);
        lowering.Call(new PoolInt8Arguments
        {
            Type = x.Type, X = lowering.Operand(x), Y = lowering.Operand(y), Kind = Of((long)kind), Images = Of(x.Extents[0]), InputRows = Of(x.Extents[2]),
            InputColumns = Of(x.Extents[3]), OutputRows = Of(y.Extents[2]), OutputColumns = Of(y.Extents[3]), Channels = Of(x.Extents[1]),
            KernelRows = Of(window?.Kernel.Y ?? x.Extents[2]), KernelColumns = Of(window?.Kernel.X ?? x.Extents[3]), StrideRows = Of(window?.Strides.Y ?? 1),
            StrideColumns = Of(window?.Strides.X ?? 1), DilationRows = Of(window?.Dilations.Y ?? 1), DilationColumns = Of(window?.Dilations.X ?? 1),
            PadRows = Of(window?.Pads.Top ?? 0), PadColumns = Of(window?.Pads.Left ?? 0), CountsPadding = Of(node.Int("count_include_pad")),
            XPixel = Of(x.Strides[3]), XRow = Of(x.Strides[2]), XImage = Of(x.Strides[0]), YPixel = Of(y.Strides[3]), YRow = Of(y.Strides[2]),
            YImage = Of(y.Strides[0]), XZero = Of(input.Zero), YZero = Of(zero), XScale = input.Scale, YScale = scale,
        }, node.DisplayName);
    }
}
