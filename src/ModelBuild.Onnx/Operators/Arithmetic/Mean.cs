namespace ModelBuild.Onnx.Operators;

/// <summary>The mean of several tensors.</summary>
internal sealed class Mean : VariadicOperator
{
    public override string Name => "Mean";

    protected override double Apply(double a, double b) => a + b;

    protected override double Finish(double value, int count) => value / count;
}
