using System.Globalization;

namespace ModelBuild.Onnx;

/// <summary>Conversions between element types by the rules of the Cast operator.</summary>
internal static class Conversion
{
    /// <summary>A tensor of another element type.</summary>
    /// <param name="type">The type to convert to.</param>
    /// <param name="x">The tensor.</param>
    /// <param name="saturate">What 8-bit floats do with numbers beyond their range: the largest value, or infinity (NaN).</param>
    /// <param name="powerRounding">How numbers become powers of two (Float8E8M0): up, down or nearest.</param>
    public static Tensor To(ElementType type, Tensor x, bool saturate = true, string powerRounding = "up")
    {
        if (x.ElementType == type)
            return x;
        if (x.ElementType == ElementType.String)
            return ElementTypes.IsInteger(type)
                ? Numbers.Of(type, x.Shape, Array.ConvertAll(x.Strings.ToArray(), ParseInteger))
                : Numbers.Of(type, x.Shape, Array.ConvertAll(x.Strings.ToArray(), Parse));
        if (type == ElementType.String)
            return new(x.Shape, Text(x));
        if (ElementTypes.IsFloat(x.ElementType))
        {
            var values = Numbers.Doubles(x);
            if (type == ElementType.Float8E8M0)
                return new(type, x.Shape, Array.ConvertAll(values, v => Power(v, powerRounding, saturate)));
            return Numbers.Of(type, x.Shape, values, saturate);
        }
        var integers = Numbers.Integers(x);
        // UInt64 has no sign: the way over binary64 knows that.
        return ElementTypes.IsFloat(type) && x.ElementType == ElementType.UInt64 ? Numbers.Of(type, x.Shape, Numbers.Doubles(x), saturate)
            : ElementTypes.IsFloat(type) ? Numbers.Of(type, x.Shape, Array.ConvertAll(integers, static v => (double)v), saturate)
            : Numbers.Of(type, x.Shape, integers);
    }

    private static byte Power(double v, string rounding, bool saturate)
    {
        if (double.IsNaN(v))
            return 255;
        var magnitude = Math.Abs(v);
        if (magnitude == 0)
            return 0;
        if (double.IsInfinity(magnitude))
            return saturate ? (byte)254 : (byte)255;
        var exponent = Math.ILogB(magnitude);
        var fraction = Math.ScaleB(magnitude, -exponent);
        if (rounding == "up" && fraction > 1 || rounding == "nearest" && fraction >= 1.5)
            exponent++;
        return exponent > 127 && !saturate ? (byte)255 : (byte)Math.Clamp(exponent + 127, 0, 254);
    }

    private static string[] Text(Tensor x) => x.ElementType switch
    {
        ElementType.Float => Array.ConvertAll(x.ToArray<float>(), static v => Number(v.ToString(CultureInfo.InvariantCulture))),
        _ when ElementTypes.IsFloat(x.ElementType) => Array.ConvertAll(Numbers.Doubles(x), static v => Number(v.ToString(CultureInfo.InvariantCulture))),
        ElementType.Bool => Array.ConvertAll(Numbers.Integers(x), static v => v != 0 ? "1" : "0"),
        ElementType.UInt64 => Array.ConvertAll(x.ToArray<ulong>(), static v => v.ToString(CultureInfo.InvariantCulture)),
        _ => Array.ConvertAll(Numbers.Integers(x), static v => v.ToString(CultureInfo.InvariantCulture)),
    };

    private static string Number(string text) => text switch { "Infinity" => "INF", "-Infinity" => "-INF", _ => text };

    private static double Parse(string text) => text.Trim().ToUpperInvariant() switch
    {
        "INF" or "+INF" or "INFINITY" or "+INFINITY" => double.PositiveInfinity,
        "-INF" or "-INFINITY" => double.NegativeInfinity,
        "NAN" => double.NaN,
        var t => double.Parse(t, NumberStyles.Float, CultureInfo.InvariantCulture),
    };

    private static long ParseInteger(string text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var v) ? v : (long)Parse(text);
}
