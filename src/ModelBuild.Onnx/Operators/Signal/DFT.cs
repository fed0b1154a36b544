namespace ModelBuild.Onnx.Operators;

/// <summary>
/// The discrete Fourier transform along an axis. The last axis holds real and imaginary parts, or real parts alone. One-sided, a real signal and the first half
/// of its spectrum are turned into each other.
/// </summary>
internal sealed class DFT : Operator
{
    public override string Name => "DFT";

    public override int FirstVersion => 17;

    public override void Infer(InferenceContext context)
    {
        var shape = context.Shape(0);
        var axis = context.Opset < 20 ? context.Node.Int("axis", 1) : context.Has(2) ? context.ConstantIntegers(2)?[0] : -2;
        if (shape.IsDefault || axis is null)
        {
            context.Set(0, context.ElementType(0));
            return;
        }
        var at = Indexing.Axis(axis.Value, shape.Length);
        var (inverse, onesided) = (context.Node.Int("inverse") != 0, context.Node.Int("onesided") != 0);
        var length = context.Has(1) ? context.Elements(1) is { } known ? known.Elements[0] : Dimension.Unknown
            : inverse && onesided ? (shape[at] - 1) * 2 : shape[at];
        context.Set(0, context.ElementType(0), shape.SetItem(at, onesided && !inverse ? length / 2 + 1 : length)
            .SetItem(shape.Length - 1, inverse && onesided ? 1 : 2));
    }

    public override InputRole Role(Node node, int input) => input > 0 ? InputRole.Parameter : InputRole.Activation;

    public override void Axes(AxesContext context)
    {
        var rank = context.Rank(0);
        var axis = context.Opset < 20 ? context.Node.Int("axis", 1) : context.Has(2) ? context.Integers(2)?[0] : -2;
        if (rank > 0 && axis is { } along)
            context.Same(0, 0, Indexing.Axis(along, rank), rank - 1);
        context.Rest(AxisKind.Mixed);
    }

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var (inverse, onesided) = (context.Node.Int("inverse") != 0, context.Node.Int("onesided") != 0);
        var axis = Indexing.Axis(context.Opset < 20 ? context.Node.Int("axis", 1) : context.Optional(2) is { } a ? Numbers.Integers(a)[0] : -2, x.Rank);
        var parts = (int)x.Shape[^1];
        context.Require(axis < x.Rank - 1 && parts is 1 or 2, $"{x} has no axis {axis} of real or complex numbers");
        context.Require(!onesided || parts == (inverse ? 2 : 1), $"one-sided, {x} must be {(inverse ? "complex" : "real")}");
        var samples = (int)x.Shape[axis];
        var given = context.Optional(1) is { } l ? Numbers.Integers(l)[0] : inverse && onesided ? 2 * (samples - 1L) : samples;
        context.Require(given > 0, $"a transform of length {given}");
        var length = Indexing.Length([given]);
        var bins = onesided && !inverse ? length / 2 + 1 : length;
        var written = inverse && onesided ? 1 : 2;
        var shape = x.Shape.SetItem(axis, bins).SetItem(x.Rank - 1, written);

        var values = Numbers.Doubles(x);
        var result = new double[Indexing.Length(shape)];
        // Numbers between neighbours along the axis.
        var inner = Indexing.Length(x.Shape.AsSpan()[(axis + 1)..^1]);
        var (real, imaginary) = (new double[inverse && onesided ? length : samples], new double[inverse && onesided ? length : samples]);
        var spectrum = new double[2 * bins];
        for (var line = 0; line < values.Length / Math.Max(1, samples * parts); line++)
        {
            var (outer, place) = (line / inner, line % inner);
            for (var n = 0; n < Math.Min(samples, real.Length); n++)
            {
                var from = ((outer * samples + n) * inner + place) * parts;
                real[n] = values[from];
                imaginary[n] = parts == 2 ? values[from + 1] : 0;
            }
            if (inverse && onesided)
                Mirror(real, imaginary, samples);
            Fourier.Transform(real, imaginary, length, inverse, spectrum);
            for (var k = 0; k < bins; k++)
                spectrum.AsSpan(2 * k, written).CopyTo(result.AsSpan(((outer * bins + k) * inner + place) * written));
        }
        context.Set(0, Numbers.Of(x.ElementType, shape, result));
    }

    /// <summary>Completes the first half of the spectrum of a real signal: the second half mirrors it, and where both meet it is real.</summary>
    private static void Mirror(double[] real, double[] imaginary, int given)
    {
        var length = real.Length;
        for (var k = Math.Min(given, length); k <= length / 2 && k < length; k++)
            real[k] = imaginary[k] = 0;
        imaginary[0] = 0;
        if (length % 2 == 0)
            imaginary[length / 2] = 0;
        for (var k = length / 2 + 1; k < length; k++)
            (real[k], imaginary[k]) = (real[length - k], -imaginary[length - k]);
    }
}
