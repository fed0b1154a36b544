namespace ModelBuild.Onnx.Operators;

/// <summary>-1, 0 or 1.</summary>
internal sealed class Sign : UnaryOperator
{
    public override string Name => "Sign";

    protected override Func<double, double> Function(Node node) => static x => double.IsNaN(x) ? x : Math.Sign(x);

    protected override Func<long, long> IntegerFunction => static x => Math.Sign(x);
}
