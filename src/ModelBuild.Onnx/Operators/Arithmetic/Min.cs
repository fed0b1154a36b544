namespace ModelBuild.Onnx.Operators;

/// <summary>The smallest of several tensors, element by element; NaN where one is NaN.</summary>
internal sealed class Min : VariadicOperator
{
    public override string Name => "Min";

    protected override double Apply(double a, double b) => Math.Min(a, b);

    protected override long Apply(long a, long b) => Math.Min(a, b);

    protected override long ApplyUnsigned(long a, long b) => (ulong)a < (ulong)b ? a : b;

    protected override Dimension Apply(Dimension a, Dimension b) =>
        a.Expression is { } x && b.Expression is { } y ? Dimension.Of(DimensionExpression.Min(x, y)) : Dimension.Unknown;
}
