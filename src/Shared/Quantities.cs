using System.Globalization;

namespace ModelBuild.Shared;

/// <summary>Numbers, sizes and times as metadata and options of the command write them, the same in every culture.</summary>
internal static class Quantities
{
    private static readonly (string Unit, double Factor)[] Times = [("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9), ("min", 60), ("s", 1), ("h", 3600), ("m", 60)];
    private static readonly (string Unit, double Factor)[] Sizes = [("KiB", 1024), ("MiB", 1048576), ("GiB", 1073741824), ("KB", 1e3), ("MB", 1e6),
        ("GB", 1e9), ("B", 1)];

    /// <summary>A finite number, or null.</summary>
    public static double? Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && !double.IsNaN(number) && !double.IsInfinity(number) ? number
            : null;

    /// <summary>A time in seconds (<c>5ms</c>, <c>90s</c>, <c>10min</c>, <c>1h</c>, <c>00:10:00</c>; without a unit seconds), or null.</summary>
    public static double? Seconds(string text) =>
        text.Contains(':') && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var span) ? span.TotalSeconds : WithUnit(text, Times);

    /// <summary>A time in seconds that says its unit, or null: who writes 5 for a latency hardly means seconds.</summary>
    public static double? SecondsWithUnit(string text) => Number(text) is null ? Seconds(text) : null;

    /// <summary>A size in bytes (<c>300KB</c>, <c>4MB</c>, <c>1GiB</c>; without a unit bytes), or null. A KB has 1000 bytes, a KiB 1024.</summary>
    public static double? Bytes(string text) => WithUnit(text, Sizes);

    private static double? WithUnit(string text, (string Unit, double Factor)[] units)
    {
        foreach (var (unit, factor) in units)
            if (text.EndsWith(unit, StringComparison.OrdinalIgnoreCase))
                return Number(text.Substring(0, text.Length - unit.Length).TrimEnd()) * factor;
        return Number(text);
    }
}
