namespace ModelBuild.Onnx.Operators;

/// <summary>The Hann window.</summary>
internal sealed class HannWindow : WindowOperator
{
    public override string Name => "HannWindow";

    protected override double At(double phase) => 0.5 - 0.5 * Math.Cos(phase);
}
