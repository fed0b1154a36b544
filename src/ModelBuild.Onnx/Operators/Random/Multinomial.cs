namespace ModelBuild.Onnx.Operators;

/// <summary>Class numbers drawn by their unnormalized log probabilities, [batch, classes] to [batch, samples].</summary>
internal sealed class Multinomial : InferredOperator
{
    public override string Name => "Multinomial";

    public override int FirstVersion => 7;

    public override void Infer(InferenceContext context) => context.Set(0, (ElementType)context.Node.Int("dtype", (int)ElementType.Int32),
        [context.Shape(0) is { IsDefault: false, Length: 2 } shape ? shape[0] : Dimension.Unknown, context.Node.Int("sample_size", 1)]);

    public override void Axes(AxesContext context)
    {
        context.Link(0, 0, 0, 0);
        context.Set(0, 1, AxisKind.New);
    }

    public override string? Cut(CutContext context) => null;
}
