namespace ModelBuild.Onnx.Operators;

/// <summary>Sum of squares along axes.</summary>
internal sealed class ReduceSumSquare : ReduceOperator
{
    public override string Name => "ReduceSumSquare";

    protected override double Reduce(ReadOnlySpan<double> values)
    {
        double sum = 0;
        foreach (var v in values)
            sum += v * v;
        return sum;
    }
}
