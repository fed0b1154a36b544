namespace ModelBuild.Onnx.Operators;

/// <summary>Rounds up to an integer.</summary>
internal sealed class Ceil : UnaryOperator
{
    public override string Name => "Ceil";

    protected override Func<double, double> Function(Node node) => Math.Ceiling;
}
