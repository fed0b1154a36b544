namespace ModelBuild.Onnx.Operators;

/// <summary>Cosine.</summary>
internal sealed class Cos : UnaryOperator
{
    public override string Name => "Cos";

    protected override Func<double, double> Function(Node node) => Math.Cos;
}
