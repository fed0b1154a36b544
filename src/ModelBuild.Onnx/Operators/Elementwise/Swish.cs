namespace ModelBuild.Onnx.Operators;

/// <summary>x * sigmoid(alpha x).</summary>
internal sealed class Swish : UnaryOperator
{
    public override string Name => "Swish";

    public override int FirstVersion => 24;

    protected override Func<double, double> Function(Node node)
    {
        double alpha = node.Float("alpha", 1f);
        return x => x * SpecialFunctions.Sigmoid(alpha * x);
    }
}
