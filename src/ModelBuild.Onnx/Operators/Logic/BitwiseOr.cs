namespace ModelBuild.Onnx.Operators;

/// <summary>Bitwise or of two integer tensors, broadcast.</summary>
internal sealed class BitwiseOr : BinaryOperator
{
    public override string Name => "BitwiseOr";

    public override int FirstVersion => 18;

    protected override double Apply(double a, double b) => throw new NotSupportedException("the inputs must be integers");

    protected override long Apply(long a, long b) => a | b;
}
