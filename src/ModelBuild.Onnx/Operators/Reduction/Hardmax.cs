namespace ModelBuild.Onnx.Operators;

/// <summary>1 at the first largest element, 0 elsewhere.</summary>
internal sealed class Hardmax : SoftmaxOperator
{
    public override string Name => "Hardmax";

    protected override void Normalize(Span<double> values)
    {
        var best = 0;
        for (var i = 1; i < values.Length; i++)
            if (values[i] > values[best])
                best = i;
        values.Clear();
        if (values.Length > 0)
            values[best] = 1;
    }
}
