namespace ModelBuild.Onnx.Operators;

/// <summary>The logarithm of Softmax.</summary>
internal sealed class LogSoftmax : SoftmaxOperator
{
    public override string Name => "LogSoftmax";

    protected override void Normalize(Span<double> values)
    {
        var max = double.NegativeInfinity;
        foreach (var v in values)
            max = Math.Max(max, v);
        double sum = 0;
        foreach (var v in values)
            sum += Math.Exp(v - max);
        var shift = max + Math.Log(sum);
        foreach (ref var v in values)
            v -= shift;
    }
}
