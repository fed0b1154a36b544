namespace ModelBuild.Onnx.Operators;

/// <summary>The Fourier transforms of frames of a signal, [batch, frames, bins, 2]: frames start a step apart, and a window weighs their samples.</summary>
internal sealed class STFT : Operator
{
    public override string Name => "STFT";

    public override int FirstVersion => 17;

    public override void Infer(InferenceContext context)
    {
        var signal = context.Shape(0);
        if (signal.IsDefault)
        {
            context.Set(0, context.ElementType(0));
            return;
        }
        var length = context.Has(3) ? context.Elements(3) is { } l ? l.Elements[0] : Dimension.Unknown
            : context.Shape(2) is { IsDefault: false, Length: 1 } window ? window[0] : Dimension.Unknown;
        var step = context.Elements(1) is { } s ? s.Elements[0] : Dimension.Unknown;
        context.Set(0, context.ElementType(0), [signal[0], (signal[1] - length) / step + 1, context.Node.Int("onesided", 1) != 0 ? length / 2 + 1 : length, 2]);
    }

    public override InputRole Role(Node node, int input) => input switch { 1 or 3 => InputRole.Parameter, 2 => InputRole.Weights, _ => InputRole.Activation };

    public override void Axes(AxesContext context)
    {
        context.Link(0, 0, 0, 0);
        context.Rest(AxisKind.Mixed);
    }

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var signal = context.Input(0);
        var parts = signal.Rank == 3 ? (int)signal.Shape[2] : 1;
        context.Require(signal.Rank is 2 or 3 && parts is 1 or 2, $"{signal} is no batch of real or complex signals");
        var onesided = context.Node.Int("onesided", 1) != 0;
        context.Require(!onesided || parts == 1, "one-sided, the signal must be real");
        var step = Numbers.Integers(context.Input(1))[0];
        var window = context.Optional(2) is { } w ? Numbers.Doubles(w) : null;
        var given = context.Optional(3) is { } l ? Numbers.Integers(l)[0] : window?.Length
            ?? throw context.Error("neither a window nor a frame length is given");
        var (batch, samples) = ((int)signal.Shape[0], (int)signal.Shape[1]);
        context.Require(step > 0 && given > 0 && given <= samples && (window is null || window.Length == given),
            $"frames of {given} samples, {step} apart, do not fit {signal}");
        var length = (int)given;
        var frames = (int)((samples - length) / step + 1);
        var bins = onesided ? length / 2 + 1 : length;

        var values = Numbers.Doubles(signal);
        var result = new double[Indexing.Length([batch, frames, bins, 2])];
        var (real, imaginary) = (new double[length], new double[length]);
        for (var b = 0; b < batch; b++)
            for (var f = 0; f < frames; f++)
            {
                for (var n = 0; n < length; n++)
                {
                    var from = (b * samples + f * (int)step + n) * parts;
                    var weight = window?[n] ?? 1;
                    real[n] = weight * values[from];
                    imaginary[n] = parts == 2 ? weight * values[from + 1] : 0;
                }
                Fourier.Transform(real, imaginary, length, false, result.AsSpan((b * frames + f) * bins * 2, bins * 2));
            }
        context.Set(0, Numbers.Of(signal.ElementType, [batch, frames, bins, 2], result));
    }
}
