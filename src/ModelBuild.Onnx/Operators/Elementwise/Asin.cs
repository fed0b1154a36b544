namespace ModelBuild.Onnx.Operators;

/// <summary>Arc sine.</summary>
internal sealed class Asin : UnaryOperator
{
    public override string Name => "Asin";

    protected override Func<double, double> Function(Node node) => Math.Asin;
}
