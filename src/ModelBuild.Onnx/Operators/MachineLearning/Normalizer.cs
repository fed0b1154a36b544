namespace ModelBuild.Onnx.Operators;

/// <summary>Rows divided by their largest value, sum or length.</summary>
internal sealed class Normalizer : LearnedOperator
{
    public override string Name => "Normalizer";

    public override void Infer(InferenceContext context) => context.Set(0, ElementType.Float, context.Shape(0));

    public override void Axes(AxesContext context) => Rows(context);

    public override string? Cut(CutContext context) => null;
}
