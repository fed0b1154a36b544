namespace ModelBuild.Onnx.Operators;

/// <summary>Lp norm under a moving window.</summary>
internal sealed class LpPool : PoolOperator
{
    public override string Name => "LpPool";

    public override int FirstVersion => 2;

    protected override double Pool(Node node, ReadOnlySpan<double> values, int window)
    {
        var p = node.Int("p", 2);
        double sum = 0;
        foreach (var v in values)
            sum += Math.Pow(Math.Abs(v), p);
        return Math.Pow(sum, 1.0 / p);
    }
}
