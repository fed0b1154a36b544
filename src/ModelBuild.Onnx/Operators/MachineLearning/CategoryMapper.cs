namespace ModelBuild.Onnx.Operators;

/// <summary>Names to numbers, or numbers to names.</summary>
internal sealed class CategoryMapper : LearnedOperator
{
    public override string Name => "CategoryMapper";

    public override void Infer(InferenceContext context) =>
        context.Set(0, context.ElementType(0) == ElementType.String ? ElementType.Int64 : ElementType.String, context.Shape(0));

    public override void Axes(AxesContext context) => context.Same();

    public override string? Cut(CutContext context) => null;
}
