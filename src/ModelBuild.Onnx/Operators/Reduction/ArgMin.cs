namespace ModelBuild.Onnx.Operators;

/// <summary>The position of the smallest element along an axis.</summary>
internal sealed class ArgMin : ArgOperator
{
    public override string Name => "ArgMin";

    protected override bool Beats(double a, double b) => a < b;
}
