namespace ModelBuild.Onnx.Operators;

/// <summary>1 / x.</summary>
internal sealed class Reciprocal : UnaryOperator
{
    public override string Name => "Reciprocal";

    protected override Func<double, double> Function(Node node) => static x => 1 / x;
}
