namespace ModelBuild.Onnx.Operators;

/// <summary>Inverse hyperbolic tangent.</summary>
internal sealed class Atanh : UnaryOperator
{
    public override string Name => "Atanh";

    protected override Func<double, double> Function(Node node) => Math.Atanh;
}
