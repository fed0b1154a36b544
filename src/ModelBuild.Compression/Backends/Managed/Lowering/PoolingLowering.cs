using ModelBuild.Kernels;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>MaxPool and AveragePool of images and signals.</summary>
internal static class PoolingLowering
{
    public static IEnumerable<KeyValuePair<string, OperatorLowering>> Operators => [new("MaxPool", new(Lower)), new("AveragePool", new(Lower))];

    private static void Lower(Lowering lowering, Node node)
    {
        if (node.Outputs.Skip(1).Any(static o => !o.IsUnused && o.Name.Length > 0) || node.Ints("kernel_shape") is not { } kernel
            || Window.Of(lowering, node, kernel) is not { } window)
            throw Lowering.Unsupported(node);
        if (lowering.TypeOf(node.Output) is ModelElementType.UInt8 or ModelElementType.Int8)
        {
            IntegerJoinLowering.Maximum(lowering, node, window);
            return;
        }
        if (IntegerJoinLowering.TryAverage(lowering, node))
            return;
        var average = node.Is("AveragePool");
        var x = lowering.Images.Read(ConvolutionLowering.AsImage(lowering.Read(node, 0)), default, 0, node);
        var y = ConvolutionLowering.Output(lowering, node.Output, node);
        var kind = !average ? PoolKind.Maximum : node.Int("count_include_pad") == 1 ? PoolKind.PaddedAverage : PoolKind.Average;
        Size Of(Dimension d) => lowering.Size(d);
        lowering.Call(new PoolF32Arguments
        {
            X = lowering.Operand(x), Y = lowering.Operand(y), Images = Of(x.Extents[0]), InputHeight = Of(x.Extents[2]), InputWidth = Of(x.Extents[3]),
            OutputHeight = Of(y.Extents[2]), OutputWidth = Of(y.Extents[3]), Channels = Of(x.Extents[1]), KernelHeight = Of(window.Kernel.Y),
            KernelWidth = Of(window.Kernel.X), StrideY = Of(window.Strides.Y), StrideX = Of(window.Strides.X), DilationY = Of(window.Dilations.Y),
            DilationX = Of(window.Dilations.X), PadTop = Of(window.Pads.Top), PadLeft = Of(window.Pads.Left), PadBottom = Of(window.Pads.Bottom),
            PadRight = Of(window.Pads.Right), XPixel = Of(x.Strides[3]), XRow = Of(x.Strides[2]), XImage = Of(x.Strides[0]), YPixel = Of(y.Strides[3]),
            YRow = Of(y.Strides[2]), YImage = Of(y.Strides[0]), Kind = Of(kind),
        }, node.DisplayName);
    }
}
