namespace ModelBuild.Onnx.Operators;

/// <summary>(x - zero point) * scale.</summary>
internal sealed class DequantizeLinear : Operator
{
    public override string Name => "DequantizeLinear";

    public override int FirstVersion => 10;

    public override void Infer(InferenceContext context) => context.Set(0, Type(context.Node, context.ElementType(1)), context.Shape(0));

    public override InputRole Role(Node node, int input) => input switch { 1 => InputRole.Scale, 2 => InputRole.ZeroPoint, _ => InputRole.Activation };

    public override void Axes(AxesContext context) => QuantizationAxis.Axes(context);

    public override string? Cut(CutContext context) => QuantizationAxis.Cut(context);

    public override void Execute(ExecutionContext context)
    {
        var (x, scale) = (context.Input(0), context.Input(1));
        var positions = QuantizationAxis.Positions(x, scale, context.Node.Int("axis", 1), context.Node.Int("block_size"));
        var (values, scales) = (Numbers.Doubles(x), Numbers.Doubles(scale));
        var zeros = context.Optional(2) is { } z ? Numbers.Doubles(z) : null;
        for (var i = 0; i < values.Length; i++)
            values[i] = (values[i] - (zeros is null ? 0 : zeros[positions[i]])) * scales[positions[i]];
        context.Set(0, Numbers.Of(Type(context.Node, scale.ElementType), x.Shape, values));
    }

    private static ElementType Type(Node node, ElementType scale) => node.Int("output_dtype") is not 0 and var t ? (ElementType)t : scale;
}
