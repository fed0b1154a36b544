namespace ModelBuild.Onnx.Operators;

/// <summary>Exponential function.</summary>
internal sealed class Exp : UnaryOperator
{
    public override string Name => "Exp";

    protected override Func<double, double> Function(Node node) => Math.Exp;
}
