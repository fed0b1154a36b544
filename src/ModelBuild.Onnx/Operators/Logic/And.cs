namespace ModelBuild.Onnx.Operators;

/// <summary>Logical and of two boolean tensors, broadcast.</summary>
internal sealed class And : BinaryOperator
{
    public override string Name => "And";

    protected override double Apply(double a, double b) => throw new NotSupportedException("the inputs must be boolean");

    protected override long Apply(long a, long b) => a & b;
}
