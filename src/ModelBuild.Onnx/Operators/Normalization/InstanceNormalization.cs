namespace ModelBuild.Onnx.Operators;

/// <summary>Every channel of every sample brought to mean 0 and variance 1, then scaled and shifted.</summary>
internal sealed class InstanceNormalization : Operator
{
    public override string Name => "InstanceNormalization";

    public override void Infer(InferenceContext context) => context.Set(0, context.Input(0));

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
