namespace ModelBuild.Onnx.Operators;

/// <summary>exp(x) over its sum.</summary>
internal sealed class Softmax : SoftmaxOperator
{
    public override string Name => "Softmax";

    protected override void Normalize(Span<double> values) => Apply(values);

    /// <summary>exp(x) over its sum, without overflow.</summary>
    public static void Apply(Span<double> values)
    {
        var max = double.NegativeInfinity;
        foreach (var v in values)
            max = Math.Max(max, v);
        double sum = 0;
        foreach (ref var v in values)
            sum += v = Math.Exp(v - max);
        foreach (ref var v in values)
            v /= sum;
    }
}
