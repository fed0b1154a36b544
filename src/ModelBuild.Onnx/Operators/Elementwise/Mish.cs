namespace ModelBuild.Onnx.Operators;

/// <summary>x * tanh(softplus(x)).</summary>
internal sealed class Mish : UnaryOperator
{
    public override string Name => "Mish";

    protected override Func<double, double> Function(Node node) => static x => x * Math.Tanh(SpecialFunctions.Softplus(x));
}
