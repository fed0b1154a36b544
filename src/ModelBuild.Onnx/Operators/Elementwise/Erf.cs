namespace ModelBuild.Onnx.Operators;

/// <summary>Error function.</summary>
internal sealed class Erf : UnaryOperator
{
    public override string Name => "Erf";

    protected override Func<double, double> Function(Node node) => SpecialFunctions.Erf;
}
