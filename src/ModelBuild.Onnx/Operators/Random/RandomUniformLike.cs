namespace ModelBuild.Onnx.Operators;

/// <summary>Uniformly distributed numbers, as many as the input has.</summary>
internal sealed class RandomUniformLike : RandomLikeOperator
{
    public override string Name => "RandomUniformLike";
}
