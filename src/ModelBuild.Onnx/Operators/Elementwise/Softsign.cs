namespace ModelBuild.Onnx.Operators;

/// <summary>x / (1 + |x|).</summary>
internal sealed class Softsign : UnaryOperator
{
    public override string Name => "Softsign";

    protected override Func<double, double> Function(Node node) => static x => x / (1 + Math.Abs(x));
}
