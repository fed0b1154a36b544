namespace ModelBuild.Onnx.Operators;

/// <summary>Product of two tensors, broadcast.</summary>
internal sealed class Mul : BinaryOperator
{
    public override string Name => "Mul";

    protected override double Apply(double a, double b) => a * b;

    protected override long Apply(long a, long b) => unchecked(a * b);

    protected override Dimension Apply(Dimension a, Dimension b) => a * b;
}
