namespace ModelBuild.Onnx.Operators;

/// <summary>Inverse hyperbolic sine.</summary>
internal sealed class Asinh : UnaryOperator
{
    public override string Name => "Asinh";

    protected override Func<double, double> Function(Node node) => Math.Asinh;
}
