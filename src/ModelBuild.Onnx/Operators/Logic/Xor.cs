namespace ModelBuild.Onnx.Operators;

/// <summary>Logical xor of two boolean tensors, broadcast.</summary>
internal sealed class Xor : BinaryOperator
{
    public override string Name => "Xor";

    protected override double Apply(double a, double b) => throw new NotSupportedException("the inputs must be boolean");

    protected override long Apply(long a, long b) => a ^ b;
}
