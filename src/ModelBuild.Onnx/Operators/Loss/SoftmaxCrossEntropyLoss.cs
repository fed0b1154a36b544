namespace ModelBuild.Onnx.Operators;

/// <summary>Negative log likelihood of class indices under the softmax of scores, and optionally the logarithms of probabilities.</summary>
internal sealed class SoftmaxCrossEntropyLoss : Operator
{
    public override string Name => "SoftmaxCrossEntropyLoss";

    public override int FirstVersion => 12;

    public override void Infer(InferenceContext context)
    {
        LossReduction.Infer(context);
        context.Set(1, context.Input(0));
    }

    public override InputRole Role(Node node, int input) => input switch { 1 => InputRole.Indices, 2 => InputRole.Weights, _ => InputRole.Activation };

    public override void Axes(AxesContext context)
    {
        LossReduction.Axes(context);
        context.Same(0, 1, 1);
        context.Rest(AxisKind.Mixed, 1);
    }

    public override string? Cut(CutContext context) => LossReduction.Cut(context);

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var values = Numbers.Doubles(x);
        var (classes, inner) = ((int)x.Shape[1], (int)Indexing.Product(x.Shape.AsSpan(), 2, x.Rank));
        for (var i = 0; i < values.Length / classes; i++)
        {
            var start = i / inner * classes * inner + i % inner;
            var max = double.NegativeInfinity;
            for (var c = 0; c < classes; c++)
                max = Math.Max(max, values[start + c * inner]);
            double sum = 0;
            for (var c = 0; c < classes; c++)
                sum += Math.Exp(values[start + c * inner] - max);
            for (var c = 0; c < classes; c++)
                values[start + c * inner] -= max + Math.Log(sum);
        }
        context.Set(0, LossReduction.Of(context, values, x));
        context.Set(1, Numbers.Of(x.ElementType, x.Shape, values));
    }
}
