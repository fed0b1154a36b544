namespace ModelBuild.Onnx.Operators;

/// <summary>max(0, min(1, alpha x + beta)).</summary>
internal sealed class HardSigmoid : UnaryOperator
{
    public override string Name => "HardSigmoid";

    protected override Func<double, double> Function(Node node)
    {
        double alpha = node.Float("alpha", 0.2f);
        double beta = node.Float("beta", 0.5f);
        return x => Math.Clamp(alpha * x + beta, 0, 1);
    }
}
