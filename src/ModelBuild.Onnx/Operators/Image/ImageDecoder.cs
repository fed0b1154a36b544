namespace ModelBuild.Onnx.Operators;

/// <summary>A picture from the bytes of its file, [height, width, channels]. What decoders make of a lossy file is not specified to the bit.</summary>
internal sealed class ImageDecoder : InferredOperator
{
    public override string Name => "ImageDecoder";

    public override int FirstVersion => 20;

    public override void Infer(InferenceContext context) =>
        context.Set(0, ElementType.UInt8, [Dimension.Unknown, Dimension.Unknown, context.Node.String("pixel_format", "RGB") == "Grayscale" ? 1 : 3]);

    public override void Axes(AxesContext context)
    {
        context.Set(0, 0, AxisKind.Mixed);
        context.Set(0, 1, AxisKind.Mixed);
        context.Set(0, 2, AxisKind.New);
    }
}
