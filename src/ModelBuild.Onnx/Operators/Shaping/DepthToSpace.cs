namespace ModelBuild.Onnx.Operators;

/// <summary>Blocks of channels spread over the image.</summary>
internal sealed class DepthToSpace : Operator
{
    public override string Name => "DepthToSpace";

    public override void Infer(InferenceContext context)
    {
        var s = context.Shape(0);
        var block = context.Node.Int("blocksize");
        context.Set(0, context.ElementType(0), s.IsDefault ? default : [s[0], s[1] / (block * block), s[2] * block, s[3] * block]);
    }

    public override void Axes(AxesContext context) => Link(context, AxesContext.In, AxesContext.Out, context.OutputSize(0, 1), context.Size(0, 2),
        context.Size(0, 3), context.Node.String("mode", "DCR") == "DCR");

    /// <summary>
    /// Deep axes [batch, channels * block², rows, columns] and wide ones [batch, channels, rows * block, columns * block] of the same elements.
    /// </summary>
    internal static void Link(AxesContext context, Func<int, int, AxisEnd> deep, Func<int, int, AxisEnd> wide, Dimension channels, Dimension rows,
        Dimension columns, bool blockFirst)
    {
        var block = context.Node.Int("blocksize");
        var (depth, width) = (deep(0, 1), deep(0, 1));
        if (blockFirst)
        {
            var places = channels;
            Add(depth with { Outer = block * block }, wide(0, 1), channels);
            Add(depth with { Inner = places * block }, wide(0, 2) with { Outer = rows }, block);
            Add(width with { Inner = places, Outer = block }, wide(0, 3) with { Outer = columns }, block);
        }
        else
        {
            Add(depth with { Inner = block * block }, wide(0, 1), channels);
            Add(depth with { Inner = block, Outer = channels }, wide(0, 2) with { Outer = rows }, block);
            Add(width with { Outer = block * channels }, wide(0, 3) with { Outer = columns }, block);
        }
        context.Link(0, 0, 0, 0);
        Add(deep(0, 2), wide(0, 2) with { Inner = block }, rows);
        Add(deep(0, 3), wide(0, 3) with { Inner = block }, columns);
        void Add(AxisEnd a, AxisEnd b, Dimension size) => context.Link(a.At.IsOutput ? b : a, a.At.IsOutput ? a : b, size);
    }

    public override string? Cut(CutContext context) => Cut(context, NodeAxis.OfInput, NodeAxis.OfOutput);

    /// <summary>Blocks stay whole.</summary>
    internal static string? Cut(CutContext context, Func<int, int, NodeAxis> deep, Func<int, int, NodeAxis> wide)
    {
        var block = context.Node.Int("blocksize");
        return context.Kept(deep(0, 1)).Length == context.Kept(wide(0, 1)).Length * block * block
            && Enumerable.Range(2, 2).All(i => !context.IsCut(deep(0, i)) && !context.IsCut(wide(0, i))
                || context.Kept(wide(0, i)).Length == context.Kept(deep(0, i)).Length * block)
            ? null : "blocks stay whole";
    }

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var b = context.Node.Int("blocksize");
        var (n, c, h, w) = (x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]);
        context.Require(b > 0 && c % (b * b) == 0, "the channels do not fit the block size");
        var split = context.Node.String("mode", "DCR") == "DCR"
            ? Transpose.Apply(x.Reshape(n, b, b, c / (b * b), h, w), [0, 3, 4, 1, 5, 2])
            : Transpose.Apply(x.Reshape(n, c / (b * b), b, b, h, w), [0, 1, 4, 2, 5, 3]);
        context.Set(0, split.Reshape(n, c / (b * b), h * b, w * b));
    }
}
