namespace ModelBuild.Onnx.Operators;

/// <summary>Mean under a moving window; padding counts as zeros only where count_include_pad says so.</summary>
internal sealed class AveragePool : PoolOperator
{
    public override string Name => "AveragePool";

    protected override double Pool(Node node, ReadOnlySpan<double> values, int window)
    {
        double sum = 0;
        foreach (var v in values)
            sum += v;
        return sum / (node.Int("count_include_pad") != 0 ? window : values.Length);
    }
}
