using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>How real numbers map to integers: real = scale * (integer - zero point).</summary>
/// <param name="Type">UInt8 or Int8.</param>
/// <param name="Scale">Positive.</param>
/// <param name="ZeroPoint">Within the type.</param>
public readonly record struct Quantization(ElementType Type, float Scale, int ZeroPoint)
{
    /// <summary>The mapping of a range that contains 0 to all values of an 8-bit type.</summary>
    public static Quantization OfRange(float low, float high, ElementType type)
    {
        var (qmin, qmax) = type == ElementType.UInt8 ? (0, 255) : (-128, 127);
        var scale = (float)((high - (double)low) / (qmax - qmin));
        // A range too narrow for a normal scale is a constant zero for all practical purposes.
        if (!(scale >= 1e-30f) || !float.IsFinite(scale))
            return new(type, 1, type == ElementType.UInt8 ? 0 : low < 0 ? 0 : -128);
        var zero = (int)Math.Clamp(Math.Round(qmin - low / (double)scale, MidpointRounding.ToEven), qmin, qmax);
        return new(type, scale, zero);
    }

    /// <summary>The zero point as a scalar tensor of the type.</summary>
    public Tensor ZeroPointTensor => Type == ElementType.UInt8 ? Tensor.Scalar((byte)ZeroPoint) : Tensor.Scalar((sbyte)ZeroPoint);
}
