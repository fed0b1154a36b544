namespace ModelBuild.Onnx.Operators;

/// <summary>Square root.</summary>
internal sealed class Sqrt : UnaryOperator
{
    public override string Name => "Sqrt";

    protected override Func<double, double> Function(Node node) => Math.Sqrt;
}
