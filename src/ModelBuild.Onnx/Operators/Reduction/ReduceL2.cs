namespace ModelBuild.Onnx.Operators;

/// <summary>Square root of the sum of squares along axes.</summary>
internal sealed class ReduceL2 : ReduceOperator
{
    public override string Name => "ReduceL2";

    protected override double Reduce(ReadOnlySpan<double> values)
    {
        double sum = 0;
        foreach (var v in values)
            sum += v * v;
        return Math.Sqrt(sum);
    }
}
