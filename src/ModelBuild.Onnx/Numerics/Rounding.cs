namespace ModelBuild.Onnx;

/// <summary>Rounding of quantization.</summary>
internal static class Rounding
{
    /// <summary>round(x) + zero point, ties to even, limited to the range of an integer type; NaN gives the zero point.</summary>
    public static double Quantize(double x, double zeroPoint, ElementType type)
    {
        var (min, max) = Numbers.RangeOf(type);
        return double.IsNaN(x) ? zeroPoint : Math.Clamp(Math.Round(x, MidpointRounding.ToEven) + zeroPoint, min, max);
    }
}
