namespace ModelBuild.Onnx.Operators;

/// <summary>log(1 + exp(x)).</summary>
internal sealed class Softplus : UnaryOperator
{
    public override string Name => "Softplus";

    protected override Func<double, double> Function(Node node) => SpecialFunctions.Softplus;
}
