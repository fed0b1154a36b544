namespace ModelBuild.Onnx.Operators;

/// <summary>x * max(0, min(1, x / 6 + 1/2)).</summary>
internal sealed class HardSwish : UnaryOperator
{
    public override string Name => "HardSwish";

    protected override Func<double, double> Function(Node node) => static x => x * Math.Clamp(x / 6 + 0.5, 0, 1);
}
