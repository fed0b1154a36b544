namespace ModelBuild.Onnx.Operators;

/// <summary>Values in place of those that are missing.</summary>
internal sealed class Imputer : LearnedOperator
{
    public override string Name => "Imputer";

    public override void Infer(InferenceContext context) => context.Set(0, context.ElementType(0), context.Shape(0));

    public override void Axes(AxesContext context) => context.Same();
}
