namespace ModelBuild.Onnx.Operators;

/// <summary>Blocks of the image gathered into channels.</summary>
internal sealed class SpaceToDepth : Operator
{
    public override string Name => "SpaceToDepth";

    public override void Infer(InferenceContext context)
    {
        var s = context.Shape(0);
        var block = context.Node.Int("blocksize");
        context.Set(0, context.ElementType(0), s.IsDefault ? default : [s[0], s[1] * (block * block), s[2] / block, s[3] / block]);
    }

    public override void Axes(AxesContext context) =>
        DepthToSpace.Link(context, AxesContext.Out, AxesContext.In, context.Size(0, 1), context.OutputSize(0, 2), context.OutputSize(0, 3),
            context.Node.String("mode", "DCR") != "CRD");

    public override string? Cut(CutContext context) => DepthToSpace.Cut(context, NodeAxis.OfOutput, NodeAxis.OfInput);

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var b = context.Node.Int("blocksize");
        var (n, c, h, w) = (x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]);
        context.Require(b > 0 && h % b == 0 && w % b == 0, "the image does not fit the block size");
        var split = x.Reshape(n, c, h / b, b, w / b, b);
        var moved = context.Node.String("mode", "DCR") == "CRD" ? Transpose.Apply(split, [0, 1, 3, 5, 2, 4]) : Transpose.Apply(split, [0, 3, 5, 1, 2, 4]);
        context.Set(0, moved.Reshape(n, c * b * b, h / b, w / b));
    }
}
