namespace ModelBuild.Onnx.Operators;

/// <summary>gamma x, or gamma alpha (exp(x) - 1) where x is not positive.</summary>
internal sealed class Selu : UnaryOperator
{
    public override string Name => "Selu";

    protected override Func<double, double> Function(Node node)
    {
        double alpha = node.Float("alpha", 1.67326319217681884765625f);
        double gamma = node.Float("gamma", 1.05070102214813232421875f);
        return x => gamma * (x <= 0 ? alpha * (Math.Exp(x) - 1) : x);
    }
}
