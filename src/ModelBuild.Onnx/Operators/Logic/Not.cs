namespace ModelBuild.Onnx.Operators;

/// <summary>Logical negation.</summary>
internal sealed class Not : UnaryOperator
{
    public override string Name => "Not";

    protected override Func<double, double> Function(Node node) => throw new NotSupportedException("the input must be boolean");

    protected override Func<long, long> IntegerFunction => static x => x == 0 ? 1 : 0;
}
