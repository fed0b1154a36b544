namespace ModelBuild.Onnx.Operators;

/// <summary>Mean of each channel.</summary>
internal sealed class GlobalAveragePool : GlobalPoolOperator
{
    public override string Name => "GlobalAveragePool";

    protected override double Pool(Node node, ReadOnlySpan<double> values)
    {
        double sum = 0;
        foreach (var v in values)
            sum += v;
        return sum / values.Length;
    }
}
