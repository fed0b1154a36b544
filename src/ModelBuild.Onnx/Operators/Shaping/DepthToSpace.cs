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
