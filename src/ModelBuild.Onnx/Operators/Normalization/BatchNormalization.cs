namespace ModelBuild.Onnx.Operators;

/// <summary>Each channel shifted and scaled by running mean and variance; in training mode by those of the batch, which then also update the running
/// ones.</summary>
internal sealed class BatchNormalization : Operator
{
    public override string Name => "BatchNormalization";

    public override void Infer(InferenceContext context)
    {
        context.Set(0, context.Input(0));
        for (var i = 1; i < context.OutputCount; i++)
            context.Set(i, context.Input(3 + (i - 1) % 2));
    }

    public override InputRole Role(Node node, int input) => input switch
    {
        1 => InputRole.Scale,
        2 => InputRole.Bias,
        3 or 4 => InputRole.State,
        _ => InputRole.Activation,
    };

    public override void Axes(AxesContext context)
    {
        var training = context.Node.Int("training_mode") != 0;
        for (var i = 0; i < context.Rank(0); i++)
            if (i == 1 || !training)
                context.Link(0, i, 0, i);
        if (context.Rank(0) > 1)
            for (var i = 1; i < 5; i++)
                context.Link(i, 0, 0, 1);
        context.Rest(AxisKind.Mixed);
        // Statistics of this call, mixed into those that were handed in.
        for (var o = 1; o < context.OutputCount; o++)
        {
            context.Link(0, 1, o, 0);
            context.Link(3 + (o - 1) % 2, 0, o, 0);
        }
    }

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var values = Numbers.Doubles(x);
        var (scale, bias) = (Numbers.Doubles(context.Input(1)), Numbers.Doubles(context.Input(2)));
        var (mean, variance) = (Numbers.Doubles(context.Input(3)), Numbers.Doubles(context.Input(4)));
        double epsilon = context.Node.Float("epsilon", 1e-5f);
        var training = context.Node.Int("training_mode") != 0;
        if (context.Opset < 14 && Enumerable.Range(1, Math.Max(0, context.OutputCount - 1)).Any(context.Wants))
            throw context.Unsupported("training mode before operator set 14");
        if (context.Opset < 9 && context.Node.Int("spatial", 1) == 0)
            throw context.Unsupported("statistics per element (spatial = 0)");
        var channels = x.Rank > 1 ? (int)x.Shape[1] : 1;
        var plane = (int)Indexing.Product(x.Shape.AsSpan(), Math.Min(2, x.Rank), x.Rank);
        context.Require(scale.Length == channels && bias.Length == channels && mean.Length == channels && variance.Length == channels,
            "the parameters do not fit the channels");
        if (training)
        {
            double momentum = context.Node.Float("momentum", 0.9f);
            var (batchMean, batchVariance) = Statistics(values, channels, plane);
            context.Set(1, Numbers.Of(context.Input(3).ElementType, context.Input(3).Shape,
                [.. mean.Zip(batchMean, (a, b) => a * momentum + b * (1 - momentum))]));
            context.Set(2, Numbers.Of(context.Input(4).ElementType, context.Input(4).Shape,
                [.. variance.Zip(batchVariance, (a, b) => a * momentum + b * (1 - momentum))]));
            (mean, variance) = (batchMean, batchVariance);
        }
        for (var i = 0; i < values.Length; i++)
        {
            var c = i / plane % channels;
            values[i] = (values[i] - mean[c]) / Math.Sqrt(variance[c] + epsilon) * scale[c] + bias[c];
        }
        context.Set(0, Numbers.Of(x.ElementType, x.Shape, values));
    }

    private static (double[] Mean, double[] Variance) Statistics(double[] values, int channels, int plane)
    {
        var (mean, variance) = (new double[channels], new double[channels]);
        var count = values.Length / channels;
        for (var i = 0; i < values.Length; i++)
            mean[i / plane % channels] += values[i] / count;
        for (var i = 0; i < values.Length; i++)
            variance[i / plane % channels] += Math.Pow(values[i] - mean[i / plane % channels], 2) / count;
        return (mean, variance);
    }
}
