namespace ModelBuild.Onnx.Operators;

/// <summary>Inputs side by side, [batch, features] each.</summary>
internal sealed class FeatureVectorizer : LearnedOperator
{
    public override string Name => "FeatureVectorizer";

    public override void Infer(InferenceContext context) => context.Set(0, ElementType.Float, [Batch(context), context.Node.Ints("inputdimensions") is { } sizes ? sizes.Sum() : Dimension.Unknown]);
}
