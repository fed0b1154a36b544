namespace ModelBuild.Onnx.Operators;

/// <summary>Quotient of two tensors, broadcast; integers are truncated towards zero.</summary>
internal sealed class Div : BinaryOperator
{
    public override string Name => "Div";

    protected override double Apply(double a, double b) => a / b;

    // Division by zero is undefined; 0 and no wrap-around trap keep it harmless.
    protected override long Apply(long a, long b) => b == 0 ? 0 : b == -1 ? unchecked(-a) : a / b;

    protected override long ApplyUnsigned(long a, long b) => b == 0 ? 0 : (long)((ulong)a / (ulong)b);

    // Sizes are not negative, so that truncation is rounding down; a dividend that may be negative is not followed.
    protected override Dimension Apply(Dimension a, Dimension b) =>
        b.IsConstant && b.Value > 0 && Shapes.IsNotNegative(a) ? a / b : Dimension.Unknown;
}
