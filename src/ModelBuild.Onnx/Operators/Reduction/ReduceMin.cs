namespace ModelBuild.Onnx.Operators;

/// <summary>Smallest element along axes; of none, the largest value of the element type.</summary>
internal sealed class ReduceMin : ReduceOperator
{
    public override string Name => "ReduceMin";

    protected override double Reduce(ReadOnlySpan<double> values)
    {
        var min = double.PositiveInfinity;
        foreach (var v in values)
            min = Math.Min(min, v);
        return min;
    }

    protected override long Reduce(ReadOnlySpan<long> values, ElementType type)
    {
        var unsigned = type == ElementType.UInt64;
        var min = unsigned ? -1 : type == ElementType.Bool ? 1 : type == ElementType.Int64 ? long.MaxValue : (long)Numbers.RangeOf(type).Max;
        foreach (var v in values)
            min = unsigned ? (long)Math.Min((ulong)min, (ulong)v) : Math.Min(min, v);
        return min;
    }
}
