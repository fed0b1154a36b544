namespace ModelBuild.Onnx.Operators;

/// <summary>Bitwise xor of two integer tensors, broadcast.</summary>
internal sealed class BitwiseXor : BinaryOperator
{
    public override string Name => "BitwiseXor";

    public override int FirstVersion => 18;

    protected override double Apply(double a, double b) => throw new NotSupportedException("the inputs must be integers");

    protected override long Apply(long a, long b) => a ^ b;
}
