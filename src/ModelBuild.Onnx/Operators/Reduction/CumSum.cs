namespace ModelBuild.Onnx.Operators;

/// <summary>Running sums along an axis.</summary>
internal sealed class CumSum : CumulativeOperator
{
    public override string Name => "CumSum";

    public override int FirstVersion => 11;

    protected override double Start => 0;

    protected override double Combine(double a, double b) => a + b;

    protected override long Combine(long a, long b) => unchecked(a + b);
}
