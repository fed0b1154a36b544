namespace ModelBuild.Onnx.Operators;

/// <summary>Logarithm of the sum along axes.</summary>
internal sealed class ReduceLogSum : ReduceOperator
{
    public override string Name => "ReduceLogSum";

    protected override double Reduce(ReadOnlySpan<double> values)
    {
        double sum = 0;
        foreach (var v in values)
            sum += v;
        return Math.Log(sum);
    }
}
