namespace ModelBuild.Onnx.Operators;

/// <summary>Normally distributed numbers.</summary>
internal sealed class RandomNormal : RandomOperator
{
    public override string Name => "RandomNormal";
}
