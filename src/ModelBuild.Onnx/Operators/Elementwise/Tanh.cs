namespace ModelBuild.Onnx.Operators;

/// <summary>Hyperbolic tangent.</summary>
internal sealed class Tanh : UnaryOperator
{
    public override string Name => "Tanh";

    protected override Func<double, double> Function(Node node) => Math.Tanh;
}
