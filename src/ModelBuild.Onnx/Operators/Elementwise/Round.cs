namespace ModelBuild.Onnx.Operators;

/// <summary>Rounds to the nearest integer, ties to even.</summary>
internal sealed class Round : UnaryOperator
{
    public override string Name => "Round";

    protected override Func<double, double> Function(Node node) => static x => Math.Round(x, MidpointRounding.ToEven);
}
