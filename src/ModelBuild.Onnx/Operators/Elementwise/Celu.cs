namespace ModelBuild.Onnx.Operators;

/// <summary>max(0, x) + min(0, alpha (exp(x / alpha) - 1)).</summary>
internal sealed class Celu : UnaryOperator
{
    public override string Name => "Celu";

    protected override Func<double, double> Function(Node node)
    {
        double alpha = node.Float("alpha", 1f);
        return x => Math.Max(0, x) + Math.Min(0, alpha * (Math.Exp(x / alpha) - 1));
    }
}
