namespace ModelBuild.Onnx.Operators;

/// <summary>Sum of two tensors, broadcast.</summary>
internal sealed class Add : BinaryOperator
{
    public override string Name => "Add";

    protected override double Apply(double a, double b) => a + b;

    protected override long Apply(long a, long b) => unchecked(a + b);

    protected override Dimension Apply(Dimension a, Dimension b) => a + b;
}
