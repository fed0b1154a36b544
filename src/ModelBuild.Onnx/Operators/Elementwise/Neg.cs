namespace ModelBuild.Onnx.Operators;

/// <summary>-x.</summary>
internal sealed class Neg : UnaryOperator
{
    public override string Name => "Neg";

    protected override Func<double, double> Function(Node node) => static x => -x;

    protected override Func<long, long> IntegerFunction => static x => unchecked(-x);
}
