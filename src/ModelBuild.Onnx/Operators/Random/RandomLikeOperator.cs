namespace ModelBuild.Onnx.Operators;

/// <summary>Random numbers of the shape of the input, and of its type where no attribute states another.</summary>
internal abstract class RandomLikeOperator : InferredOperator
{
    public override void Infer(InferenceContext context) => context.Set(0, (ElementType)context.Node.Int("dtype", (int)context.ElementType(0)),
        context.Shape(0));

    public override void Axes(AxesContext context) => context.Rest(AxisKind.New);
}
