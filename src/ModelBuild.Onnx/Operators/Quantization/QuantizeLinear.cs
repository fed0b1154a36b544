namespace ModelBuild.Onnx.Operators;

/// <summary>round(x / scale) + zero point, ties to even, limited to the type's range; for 8-bit floats x / scale rounded to them.</summary>
internal sealed class QuantizeLinear : Operator
{
    public override string Name => "QuantizeLinear";

    public override int FirstVersion => 10;

    public override void Infer(InferenceContext context) => context.Set(0,
        context.Has(2) ? context.ElementType(2) : context.Node.Int("output_dtype") is not 0 and var type ? (ElementType)type : ElementType.UInt8,
            context.Shape(0));

    public override InputRole Role(Node node, int input) => input switch { 1 => InputRole.Scale, 2 => InputRole.ZeroPoint, _ => InputRole.Activation };

    public override void Axes(AxesContext context) => QuantizationAxis.Axes(context);

    public override string? Cut(CutContext context) => QuantizationAxis.Cut(context);

    public override void Execute(ExecutionContext context)
    {
        var (x, scale) = (context.Input(0), context.Input(1));
        var zero = context.Optional(2);
        var type = zero?.ElementType ?? (context.Node.Int("output_dtype") is not 0 and var t ? (ElementType)t : ElementType.UInt8);
        var positions = QuantizationAxis.Positions(x, scale, context.Node.Int("axis", 1), context.Node.Int("block_size"));
        var (values, scales) = (Numbers.Doubles(x), Numbers.Doubles(scale));
        var zeros = zero is null ? new double[scales.Length] : Numbers.Doubles(zero);
        // The quotient is one of the stated precision, or of the input's type: a runtime divides floats.
        var precision = context.Node.Int("precision") is not 0 and var p ? (ElementType)p
            : x.ElementType == ElementType.Double || scale.ElementType == ElementType.Double ? ElementType.Double : ElementType.Float;
        var toFloat = ElementTypes.IsFloat(type);
        for (var i = 0; i < values.Length; i++)
        {
            var quotient = Numbers.Round(precision, values[i] / scales[positions[i]]);
            values[i] = toFloat ? quotient + zeros[positions[i]] : Rounding.Quantize(quotient, zeros[positions[i]], type);
        }
        context.Set(0, Numbers.Of(type, x.Shape, values, context.Node.Int("saturate", 1) != 0));
    }
}
