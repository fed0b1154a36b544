namespace ModelBuild.Onnx.Operators;

/// <summary>Hyperbolic cosine.</summary>
internal sealed class Cosh : UnaryOperator
{
    public override string Name => "Cosh";

    protected override Func<double, double> Function(Node node) => Math.Cosh;
}
