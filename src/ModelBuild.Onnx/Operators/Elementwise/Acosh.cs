namespace ModelBuild.Onnx.Operators;

/// <summary>Inverse hyperbolic cosine.</summary>
internal sealed class Acosh : UnaryOperator
{
    public override string Name => "Acosh";

    protected override Func<double, double> Function(Node node) => Math.Acosh;
}
