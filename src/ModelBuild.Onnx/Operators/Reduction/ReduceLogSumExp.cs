namespace ModelBuild.Onnx.Operators;

/// <summary>Logarithm of the sum of exponentials along axes, without overflow.</summary>
internal sealed class ReduceLogSumExp : ReduceOperator
{
    public override string Name => "ReduceLogSumExp";

    protected override double Reduce(ReadOnlySpan<double> values)
    {
        var max = double.NegativeInfinity;
        foreach (var v in values)
            max = Math.Max(max, v);
        if (double.IsInfinity(max))
            return max;
        double sum = 0;
        foreach (var v in values)
            sum += Math.Exp(v - max);
        return max + Math.Log(sum);
    }
}
