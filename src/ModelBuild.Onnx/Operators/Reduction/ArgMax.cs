namespace ModelBuild.Onnx.Operators;

/// <summary>The position of the largest element along an axis.</summary>
internal sealed class ArgMax : ArgOperator
{
    public override string Name => "ArgMax";

    protected override bool Beats(double a, double b) => a > b;
}
