namespace ModelBuild.Onnx.Operators;

/// <summary>The largest of several tensors, element by element; NaN where one is NaN.</summary>
internal sealed class Max : VariadicOperator
{
    public override string Name => "Max";

    protected override double Apply(double a, double b) => Math.Max(a, b);

    protected override long Apply(long a, long b) => Math.Max(a, b);

    protected override long ApplyUnsigned(long a, long b) => (ulong)a > (ulong)b ? a : b;

    protected override Dimension Apply(Dimension a, Dimension b) =>
        a.Expression is { } x && b.Expression is { } y ? Dimension.Of(DimensionExpression.Max(x, y)) : Dimension.Unknown;
}
