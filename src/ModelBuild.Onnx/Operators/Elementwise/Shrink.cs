namespace ModelBuild.Onnx.Operators;

/// <summary>Soft thresholding: x + bias below -lambd, x - bias above lambd, else 0.</summary>
internal sealed class Shrink : UnaryOperator
{
    public override string Name => "Shrink";

    protected override Func<double, double> Function(Node node)
    {
        double bias = node.Float("bias", 0f);
        double lambd = node.Float("lambd", 0.5f);
        return x => x < -lambd ? x + bias : x > lambd ? x - bias : 0;
    }
}
