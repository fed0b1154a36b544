namespace ModelBuild.Onnx.Operators;

/// <summary>Absolute value.</summary>
internal sealed class Abs : UnaryOperator
{
    public override string Name => "Abs";

    protected override Func<double, double> Function(Node node) => Math.Abs;

    protected override Func<long, long> IntegerFunction => static x => x < 0 ? unchecked(-x) : x;
}
