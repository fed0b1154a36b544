namespace ModelBuild.Onnx.Operators;

/// <summary>Sum along axes.</summary>
internal sealed class ReduceSum : ReduceOperator
{
    public override string Name => "ReduceSum";

    protected override int AxesAreInputSince => 13;

    protected override double Reduce(ReadOnlySpan<double> values)
    {
        double sum = 0;
        foreach (var v in values)
            sum += v;
        return sum;
    }

    protected override long Reduce(ReadOnlySpan<long> values, ElementType type)
    {
        long sum = 0;
        foreach (var v in values)
            sum = unchecked(sum + v);
        return sum;
    }
}
