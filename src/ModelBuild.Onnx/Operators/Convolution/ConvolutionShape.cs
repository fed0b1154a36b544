using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>Shape inference of convolutions.</summary>
internal static class ConvolutionShape
{
    /// <summary>[N, M, spatial...] from input [N, C, spatial...] and weights [M, C/group, kernel...].</summary>
    public static ImmutableArray<Dimension> Infer(InferenceContext context, int input, int weights)
    {
        var (x, w) = (context.Shape(input), context.Shape(weights));
        if (x.IsDefault)
            return w.IsDefault ? default : Shapes.OfRank(w.Length);
        var kernel = context.Node.Ints("kernel_shape")
            ?? (w.IsDefault || w.Skip(2).Any(static d => !d.IsConstant) ? null : [.. w.Skip(2).Select(static d => d.Value)]);
        if (kernel is null)
            return Shapes.OfRank(x.Length);
        context.Require(kernel.Length == x.Length - 2, $"a kernel of {kernel.Length} dimensions does not fit {context.Input(input)}");
        var window = new SpatialWindow(context.Node, kernel);
        return [x[0], w.IsDefault ? Dimension.Unknown : w[0], .. window.Output(x.Skip(2))];
    }

    /// <summary>The window and groups of a node, for execution.</summary>
    public static ConvolutionLoops.Sizes Sizes(Node node, Tensor x, Tensor w) =>
        ConvolutionLoops.SizesOf(x.Shape.AsSpan(), w.Shape.AsSpan(), (int)node.Int("group", 1), new(node, w.Shape.AsSpan()[2..].ToArray()));
}
