namespace ModelBuild.Onnx.Operators;

/// <summary>Sine.</summary>
internal sealed class Sin : UnaryOperator
{
    public override string Name => "Sin";

    protected override Func<double, double> Function(Node node) => Math.Sin;
}
