using System.Globalization;

namespace ModelBuild.Compression.Planning;

/// <summary>Sizes and times as people write them: <c>4MB</c>, <c>512KB</c>, <c>5ms</c>, <c>200us</c>.</summary>
public static class Quantity
{
    /// <summary>A size in bytes; a KB is 1024 bytes.</summary>
    /// <exception cref="CompressionException">MDLB0002: the text is no size.</exception>
    public static long Bytes(string text, string metadata) =>
        Read(text, [("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10), ("B", 1), ("", 1)]) is { } v
            ? (long)v
            : throw new CompressionException("MDLB0002", $"{metadata}={text} is no size; write for example 4MB or 512KB", metadata);

    /// <summary>A time in nanoseconds.</summary>
    /// <exception cref="CompressionException">MDLB0002: the text is no time.</exception>
    public static double Nanoseconds(string text, string metadata) =>
        Read(text, [("ns", 1), ("us", 1e3), ("ms", 1e6), ("s", 1e9)])
            ?? throw new CompressionException("MDLB0002", $"{metadata}={text} is no time; write for example 5ms or 200us", metadata);

    private static double? Read(string text, (string Unit, double Factor)[] units)
    {
        foreach (var (unit, factor) in units)
            if (text.EndsWith(unit, StringComparison.OrdinalIgnoreCase)
                && double.TryParse(text.AsSpan(0, text.Length - unit.Length).Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out var v) && v > 0)
                return v * factor;
        return null;
    }
}
