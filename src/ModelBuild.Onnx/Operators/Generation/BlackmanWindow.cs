namespace ModelBuild.Onnx.Operators;

/// <summary>The Blackman window.</summary>
internal sealed class BlackmanWindow : WindowOperator
{
    public override string Name => "BlackmanWindow";

    protected override double At(double phase) => 0.42 - 0.5 * Math.Cos(phase) + 0.08 * Math.Cos(2 * phase);
}
