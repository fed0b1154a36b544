namespace ModelBuild.Onnx.Operators;

/// <summary>x where it is larger than alpha, else 0.</summary>
internal sealed class ThresholdedRelu : UnaryOperator
{
    public override string Name => "ThresholdedRelu";

    protected override Func<double, double> Function(Node node)
    {
        double alpha = node.Float("alpha", 1f);
        return x => x > alpha ? x : 0;
    }
}
