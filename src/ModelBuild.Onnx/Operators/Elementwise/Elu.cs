namespace ModelBuild.Onnx.Operators;

/// <summary>x, or alpha (exp(x) - 1) where x is negative.</summary>
internal sealed class Elu : UnaryOperator
{
    public override string Name => "Elu";

    protected override Func<double, double> Function(Node node)
    {
        double alpha = node.Float("alpha", 1f);
        return x => x < 0 ? alpha * (Math.Exp(x) - 1) : x;
    }
}
