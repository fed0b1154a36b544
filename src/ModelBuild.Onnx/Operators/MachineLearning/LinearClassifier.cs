namespace ModelBuild.Onnx.Operators;

/// <summary>Labels and scores of linear functions of the features.</summary>
internal sealed class LinearClassifier : LearnedOperator
{
    public override string Name => "LinearClassifier";

    public override void Infer(InferenceContext context)
    {
        var (type, classes) = Labels(context.Node, "classlabels_ints");
        context.Set(0, type, [Batch(context)]);
        context.Set(1, ElementType.Float, [Batch(context), classes is { } count ? count : Dimension.Unknown]);
    }

    public override void Axes(AxesContext context) => Rows(context);

    public override string? Cut(CutContext context) => null;
}
