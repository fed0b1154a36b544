namespace ModelBuild.Onnx.Operators;

/// <summary>x times the normal distribution function, exact or by the tanh approximation.</summary>
internal sealed class Gelu : UnaryOperator
{
    public override string Name => "Gelu";

    public override int FirstVersion => 20;

    protected override Func<double, double> Function(Node node) => node.String("approximate", "none") == "tanh"
        ? static x => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)))
        : static x => 0.5 * x * (1 + SpecialFunctions.Erf(x / Math.Sqrt(2)));
}
