namespace ModelBuild.Onnx.Operators;

/// <summary>From exact integer sums to a quantized result.</summary>
internal static class Requantization
{
    /// <summary>round(sum * (scaleA * scaleB / scaleY)) + zero point. The factor is one of binary32, as a runtime computes it.</summary>
    public static double Apply(double sum, double scaleA, double scaleB, double scaleY, double zeroPoint, ElementType type)
    {
        var factor = (float)scaleA * (float)scaleB / (float)scaleY;
        return Rounding.Quantize((float)sum * factor, zeroPoint, type);
    }
}
