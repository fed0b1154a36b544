namespace ModelBuild.Onnx.Operators;

/// <summary>Bitwise negation of integers.</summary>
internal sealed class BitwiseNot : UnaryOperator
{
    public override string Name => "BitwiseNot";

    public override int FirstVersion => 18;

    protected override Func<double, double> Function(Node node) => throw new NotSupportedException("the input must be of integers");

    protected override Func<long, long> IntegerFunction => static x => ~x;
}
