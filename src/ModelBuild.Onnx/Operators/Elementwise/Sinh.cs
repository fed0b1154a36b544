namespace ModelBuild.Onnx.Operators;

/// <summary>Hyperbolic sine.</summary>
internal sealed class Sinh : UnaryOperator
{
    public override string Name => "Sinh";

    protected override Func<double, double> Function(Node node) => Math.Sinh;
}
