namespace ModelBuild.Onnx.Operators;

/// <summary>Uniformly distributed numbers.</summary>
internal sealed class RandomUniform : RandomOperator
{
    public override string Name => "RandomUniform";
}
