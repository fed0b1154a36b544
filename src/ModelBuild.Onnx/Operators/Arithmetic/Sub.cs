namespace ModelBuild.Onnx.Operators;

/// <summary>Difference of two tensors, broadcast.</summary>
internal sealed class Sub : BinaryOperator
{
    public override string Name => "Sub";

    protected override double Apply(double a, double b) => a - b;

    protected override long Apply(long a, long b) => unchecked(a - b);

    protected override Dimension Apply(Dimension a, Dimension b) => a - b;
}
