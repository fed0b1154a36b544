namespace ModelBuild.Onnx.Operators;

/// <summary>Largest element along axes; of none, the smallest value of the element type.</summary>
internal sealed class ReduceMax : ReduceOperator
{
    public override string Name => "ReduceMax";

    protected override double Reduce(ReadOnlySpan<double> values)
    {
        var max = double.NegativeInfinity;
        foreach (var v in values)
            max = Math.Max(max, v);
        return max;
    }

    protected override long Reduce(ReadOnlySpan<long> values, ElementType type)
    {
        var unsigned = type == ElementType.UInt64;
        var max = unsigned || type == ElementType.Bool ? 0 : (long)Numbers.RangeOf(type).Min;
        foreach (var v in values)
            max = unsigned ? (long)Math.Max((ulong)max, (ulong)v) : Math.Max(max, v);
        return max;
    }
}
