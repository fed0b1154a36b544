namespace ModelBuild.Onnx.Operators;

/// <summary>One number for each row, by support vectors.</summary>
internal sealed class SVMRegressor : LearnedOperator
{
    public override string Name => "SVMRegressor";

    public override void Infer(InferenceContext context) => context.Set(0, ElementType.Float, [Batch(context), 1]);

    public override void Axes(AxesContext context) => Rows(context);

    public override string? Cut(CutContext context) => null;
}
