namespace ModelBuild.Onnx.Operators;

/// <summary>The sum of several tensors.</summary>
internal sealed class Sum : VariadicOperator
{
    public override string Name => "Sum";

    protected override double Apply(double a, double b) => a + b;
}
