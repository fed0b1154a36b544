namespace ModelBuild.Onnx.Operators;

/// <summary>Mean along axes.</summary>
internal sealed class ReduceMean : ReduceOperator
{
    public override string Name => "ReduceMean";

    protected override double Reduce(ReadOnlySpan<double> values)
    {
        double sum = 0;
        foreach (var v in values)
            sum += v;
        return sum / values.Length;
    }
}
