namespace ModelBuild.Onnx.Operators;

/// <summary>x, or alpha x where x is negative.</summary>
internal sealed class LeakyRelu : UnaryOperator
{
    public override string Name => "LeakyRelu";

    protected override Func<double, double> Function(Node node)
    {
        double alpha = node.Float("alpha", 0.01f);
        return x => x < 0 ? alpha * x : x;
    }
}
