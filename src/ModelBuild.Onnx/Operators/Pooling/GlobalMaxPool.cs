namespace ModelBuild.Onnx.Operators;

/// <summary>Largest element of each channel.</summary>
internal sealed class GlobalMaxPool : GlobalPoolOperator
{
    public override string Name => "GlobalMaxPool";

    protected override double Pool(Node node, ReadOnlySpan<double> values)
    {
        var max = double.NegativeInfinity;
        foreach (var v in values)
            max = Math.Max(max, v);
        return max;
    }
}
