namespace ModelBuild.Onnx.Operators;

/// <summary>The Hamming window.</summary>
internal sealed class HammingWindow : WindowOperator
{
    public override string Name => "HammingWindow";

    protected override double At(double phase) => 25.0 / 46 - 21.0 / 46 * Math.Cos(phase);
}
