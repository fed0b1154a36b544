namespace ModelBuild.Onnx.Operators;

/// <summary>Inputs side by side, [batch, features] each.</summary>
internal sealed class FeatureVectorizer : LearnedOperator
{
    public override string Name => "FeatureVectorizer";

    public override void Infer(InferenceContext context) =>
        context.Set(0, ElementType.Float, [Batch(context), context.Node.Ints("inputdimensions") is { } sizes ? sizes.Sum() : Dimension.Unknown]);

    public override void Axes(AxesContext context)
    {
        Dimension offset = 0;
        for (var i = 0; i < context.InputCount; i++)
        {
            var rank = context.Rank(i);
            if (rank == 2)
                context.Link(i, 0, 0, 0);
            var size = context.Size(i, rank - 1);
            if (rank > 0)
                context.Link(AxesContext.In(i, rank - 1), AxesContext.Out(0, 1) with { Offset = offset }, size);
            offset += size;
        }
        context.Rest(AxisKind.New);
    }
}
