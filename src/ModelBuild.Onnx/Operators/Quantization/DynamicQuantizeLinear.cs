namespace ModelBuild.Onnx.Operators;

/// <summary>A tensor quantized to unsigned 8 bits by its own range, which always holds 0; with its scale and zero point. All arithmetic is binary32, as the
/// specification has it.</summary>
internal sealed class DynamicQuantizeLinear : Operator
{
    public override string Name => "DynamicQuantizeLinear";

    public override int FirstVersion => 11;

    public override void Infer(InferenceContext context)
    {
        context.Set(0, ElementType.UInt8, context.Shape(0));
        context.Set(1, ElementType.Float, []);
        context.Set(2, ElementType.UInt8, []);
    }

    // The range of all elements sets the scale.
    public override void Axes(AxesContext context) => context.Rest(AxisKind.Mixed);

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var (quantized, scale, zero) = Apply(x.Span<float>());
        context.Set(0, Tensor.Of(quantized, x.Shape.AsSpan()));
        context.Set(1, Tensor.Scalar(scale));
        context.Set(2, Tensor.Scalar(zero));
    }

    /// <summary>The quantized elements, their scale and zero point.</summary>
    public static (byte[] Quantized, float Scale, byte Zero) Apply(ReadOnlySpan<float> x)
    {
        float min = 0, max = 0;
        foreach (var v in x)
        {
            min = Math.Min(min, v);
            max = Math.Max(max, v);
        }
        var scale = (max - min) / 255f;
        // Nothing but zeros: any scale will do.
        if (scale == 0)
            scale = 1;
        var zero = (byte)Math.Clamp(MathF.Round(-min / scale, MidpointRounding.ToEven), 0, 255);
        var quantized = new byte[x.Length];
        for (var i = 0; i < quantized.Length; i++)
            quantized[i] = (byte)Rounding.Quantize(x[i] / scale, zero, ElementType.UInt8);
        return (quantized, scale, zero);
    }
}
