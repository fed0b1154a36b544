namespace ModelBuild.Onnx.Operators;

/// <summary>Arc tangent.</summary>
internal sealed class Atan : UnaryOperator
{
    public override string Name => "Atan";

    protected override Func<double, double> Function(Node node) => Math.Atan;
}
