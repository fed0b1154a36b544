namespace ModelBuild.Onnx.Operators;

/// <summary>Normally distributed numbers, as many as the input has.</summary>
internal sealed class RandomNormalLike : RandomLikeOperator
{
    public override string Name => "RandomNormalLike";
}
