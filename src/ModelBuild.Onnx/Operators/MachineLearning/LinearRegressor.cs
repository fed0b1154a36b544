namespace ModelBuild.Onnx.Operators;

/// <summary>Linear functions of the features, [batch, features] to [batch, targets].</summary>
internal sealed class LinearRegressor : LearnedOperator
{
    public override string Name => "LinearRegressor";

    public override void Infer(InferenceContext context) => context.Set(0, ElementType.Float, [Batch(context), context.Node.Int("targets", 1)]);

    public override void Axes(AxesContext context) => Rows(context);

    public override string? Cut(CutContext context) => null;
}
