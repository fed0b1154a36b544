namespace ModelBuild.Onnx.Operators;

/// <summary>Every channel of every sample brought to mean 0 and variance 1, then scaled and shifted.</summary>
internal sealed class InstanceNormalization : Operator
{
    public override string Name => "InstanceNormalization";

    public override void Infer(InferenceContext context) => context.Set(0, context.Input(0));

    public override InputRole Role(Node node, int input) => input switch { 1 => InputRole.Scale, 2 => InputRole.Bias, _ => InputRole.Activation };

    public override void Axes(AxesContext context)
    {
        context.Link(0, 0, 0, 0);
        for (var i = 0; i < 3; i++)
            context.Link(i, i == 0 ? 1 : 0, 0, 1);
        context.Rest(AxisKind.Mixed);
    }

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var channels = (int)x.Shape[1];
        var (scale, bias) = (Numbers.Doubles(context.Input(1)), Numbers.Doubles(context.Input(2)));
        context.Require(scale.Length == channels && bias.Length == channels, "scale and bias do not fit the channels");
        var values = Numbers.Doubles(x);
        GroupNormalization.Normalize(values, (int)Indexing.Product(x.Shape.AsSpan(), 2, x.Rank), context.Node.Float("epsilon", 1e-5f));
        var plane = (int)Indexing.Product(x.Shape.AsSpan(), 2, x.Rank);
        for (var i = 0; i < values.Length; i++)
            values[i] = values[i] * scale[i / plane % channels] + bias[i / plane % channels];
        context.Set(0, Numbers.Of(x.ElementType, x.Shape, values));
    }
}
