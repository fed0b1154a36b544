namespace ModelBuild.Onnx.Operators;

/// <summary>Labels and scores of a support vector machine. How many scores there are depends on its kind.</summary>
internal sealed class SVMClassifier : LearnedOperator
{
    public override string Name => "SVMClassifier";

    public override void Infer(InferenceContext context)
    {
        context.Set(0, Labels(context.Node, "classlabels_ints").Type, [Batch(context)]);
        context.Set(1, ElementType.Float, [Batch(context), Dimension.Unknown]);
    }

    public override void Axes(AxesContext context) => Rows(context);

    public override string? Cut(CutContext context) => null;
}
