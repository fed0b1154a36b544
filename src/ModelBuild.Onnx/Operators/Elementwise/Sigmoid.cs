namespace ModelBuild.Onnx.Operators;

/// <summary>1 / (1 + exp(-x)).</summary>
internal sealed class Sigmoid : UnaryOperator
{
    public override string Name => "Sigmoid";

    protected override Func<double, double> Function(Node node) => SpecialFunctions.Sigmoid;
}
