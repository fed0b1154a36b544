namespace ModelBuild.Onnx.Operators;

/// <summary>Tangent.</summary>
internal sealed class Tan : UnaryOperator
{
    public override string Name => "Tan";

    protected override Func<double, double> Function(Node node) => Math.Tan;
}
