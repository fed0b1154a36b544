namespace ModelBuild.Onnx.Operators;

/// <summary>Local response normalization across neighbouring channels.</summary>
internal sealed class LRN : Operator
{
    public override string Name => "LRN";

    public override void Infer(InferenceContext context) => context.Set(0, context.Input(0));

    public override void Axes(AxesContext context)
    {
        context.Same(0, 0, 1);
        context.Rest(AxisKind.Mixed);
    }

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var values = Numbers.Doubles(x);
        double alpha = context.Node.Float("alpha", 1e-4f), beta = context.Node.Float("beta", 0.75f), bias = context.Node.Float("bias", 1);
        var size = (int)context.Node.Int("size");
        var (channels, plane) = ((int)x.Shape[1], (int)Indexing.Product(x.Shape.AsSpan(), 2, x.Rank));
        var result = new double[values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            var c = i / plane % channels;
            double sum = 0;
            for (var k = Math.Max(0, c - (size - 1) / 2); k <= Math.Min(channels - 1, c + size / 2); k++)
                sum += values[i + (k - c) * plane] * values[i + (k - c) * plane];
            result[i] = values[i] / Math.Pow(bias + alpha / size * sum, beta);
        }
        context.Set(0, Numbers.Of(x.ElementType, x.Shape, result));
    }
}
