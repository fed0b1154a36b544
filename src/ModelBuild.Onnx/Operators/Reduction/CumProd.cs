namespace ModelBuild.Onnx.Operators;

/// <summary>Running products along an axis.</summary>
internal sealed class CumProd : CumulativeOperator
{
    public override string Name => "CumProd";

    public override int FirstVersion => 26;

    protected override double Start => 1;

    protected override double Combine(double a, double b) => a * b;

    protected override long Combine(long a, long b) => unchecked(a * b);
}
