using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>The padding of operators with a window, in two dimensions: a signal of one dimension is an image of one row.</summary>
internal static class Padding
{
    /// <summary>Rows and columns around the input of a Conv, so far as they do not depend on sizes that are unknown; null for other operators, or where they
    /// do.</summary>
    public static (long Top, long Left, long Bottom, long Right)? Of(Lowering lowering, Node node) =>
        (node.Is("Conv") || node.Is("ConvTranspose")) && lowering.ConstantOf(node.Inputs[1]) is { Rank: 3 or 4 } weights
            && Window.Of(lowering, node, weights.Shape.AsSpan()[2..]) is { } window
            ? node.Is("Conv") ? window.Pads : TransposedConvolutionLowering.Around(node, window) : null;
}

/// <summary>Kernel, strides, dilations and padding of an operator with a window, in two dimensions.</summary>
/// <param name="Kernel">Height and width.</param>
/// <param name="Strides">Along height and width.</param>
/// <param name="Dilations">Along height and width.</param>
/// <param name="Pads">Top, left, bottom, right.</param>
internal sealed record Window((long Y, long X) Kernel, (long Y, long X) Strides, (long Y, long X) Dilations, (long Top, long Left, long Bottom,
    long Right) Pads)
{
    /// <summary>The window of a node; null where it has more than two dimensions, or its padding depends on sizes that are unknown.</summary>
    public static Window? Of(Lowering lowering, Node node, ReadOnlySpan<long> kernel)
    {
        if (kernel.Length is not (1 or 2))
            return null;
        var k = Pair(kernel, 1);
        var strides = Pair(node.Ints("strides"), 1);
        var dilations = Pair(node.Ints("dilations"), 1);
        (long, long, long, long) pads;
        switch (node.String("auto_pad", "NOTSET"))
        {
            case "VALID":
                pads = default;
                break;
            case "NOTSET":
                pads = node.Ints("pads") switch
                {
                    null => default,
                    [var a, var b] => (0, a, 0, b),
                    [var a, var b, var c, var d] => (a, b, c, d),
                    _ => (-1, 0, 0, 0),
                };
                break;
            case var same:
                var shape = lowering.ShapeOf(node.Inputs[0]!);
                if (Same(shape.Length == 4 ? shape[2] : 1, k.Y, strides.Y, dilations.Y) is not { } y || Same(shape[^1], k.X, strides.X,
                    dilations.X) is not { } x)
                    return null;
                var upper = same == "SAME_UPPER";
                pads = (upper ? y / 2 : y - y / 2, upper ? x / 2 : x - x / 2, upper ? y - y / 2 : y / 2, upper ? x - x / 2 : x / 2);
                break;
        }
        // Negative padding crops.
        return pads is { Item1: >= 0, Item2: >= 0, Item3: >= 0, Item4: >= 0 } ? new(k, strides, dilations, pads) : null;
    }

    // All of the padding along one dimension: what makes ceil(size / stride) outputs.
    private static long? Same(Dimension size, long kernel, long stride, long dilation)
    {
        var reach = (kernel - 1) * dilation + 1;
        if (stride == 1)
            return reach - 1;
        if (!size.IsConstant)
            return null;
        var outputs = (size.Value + stride - 1) / stride;
        return Math.Max(0, (outputs - 1) * stride + reach - size.Value);
    }

    private static (long Y, long X) Pair(ReadOnlySpan<long> values, long missing) => values switch
    {
        [var x] => (missing, x),
        [var y, var x] => (y, x),
        _ => (missing, missing),
    };
}
