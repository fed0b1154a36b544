namespace ModelBuild.Onnx.Operators;

/// <summary>Lp norm of each channel.</summary>
internal sealed class GlobalLpPool : GlobalPoolOperator
{
    public override string Name => "GlobalLpPool";

    public override int FirstVersion => 2;

    protected override double Pool(Node node, ReadOnlySpan<double> values)
    {
        var p = node.Int("p", 2);
        double sum = 0;
        foreach (var v in values)
            sum += Math.Pow(Math.Abs(v), p);
        return Math.Pow(sum, 1.0 / p);
    }
}
