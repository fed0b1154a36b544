namespace ModelBuild.Onnx.Operators;

/// <summary>Sum of absolute values along axes.</summary>
internal sealed class ReduceL1 : ReduceOperator
{
    public override string Name => "ReduceL1";

    protected override double Reduce(ReadOnlySpan<double> values)
    {
        double sum = 0;
        foreach (var v in values)
            sum += Math.Abs(v);
        return sum;
    }
}
