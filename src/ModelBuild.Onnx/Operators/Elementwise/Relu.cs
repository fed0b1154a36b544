namespace ModelBuild.Onnx.Operators;

/// <summary>max(x, 0).</summary>
internal sealed class Relu : UnaryOperator
{
    public override string Name => "Relu";

    protected override Func<double, double> Function(Node node) => static x => x > 0 || double.IsNaN(x) ? x : 0;

    protected override Func<long, long> IntegerFunction => static x => Math.Max(x, 0);
}
