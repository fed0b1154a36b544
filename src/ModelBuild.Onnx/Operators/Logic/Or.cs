namespace ModelBuild.Onnx.Operators;

/// <summary>Logical or of two boolean tensors, broadcast.</summary>
internal sealed class Or : BinaryOperator
{
    public override string Name => "Or";

    protected override double Apply(double a, double b) => throw new NotSupportedException("the inputs must be boolean");

    protected override long Apply(long a, long b) => a | b;
}
