namespace ModelBuild.Shared;

/// <summary>ImageMean and ImageScale: one number for all channels, or one a channel. Tasks and compiler read them here.</summary>
internal static class ChannelNumbers
{
    /// <summary>Reads a list; numbers are separated by <c>,</c>, <c>;</c> or blanks.</summary>
    /// <param name="name">The metadata.</param>
    /// <param name="text">Its value.</param>
    /// <param name="numbers">The numbers.</param>
    /// <returns>What is wrong, or null.</returns>
    public static string? Read(string name, string text, out double[] numbers)
    {
        var read = text.Split([';', ',', ' '], StringSplitOptions.RemoveEmptyEntries).Select(Quantities.Number).ToList();
        numbers = [.. read.Select(number => number ?? 0)];
        return read.Count is not (1 or 3) || read.Contains(null) ? $"{name}=\"{text}\" is not one number or three, one a channel, such as 123.7,116.3,103.5."
            : name == "ImageScale" && numbers.Contains(0)
                ? $"ImageScale=\"{text}\" makes every picture the same: pixels are multiplied with it. Write for example 0.00392 (1/255), or remove it for 1."
            : null;
    }

    /// <summary>What is wrong with the number of values for an input's channels, or null.</summary>
    public static string? Mismatch(string name, int count, long channels) => count == 1 || count == channels ? null
        : $"{name} has {count} values, but the model's input has {channels} channel{(channels == 1 ? "" : "s")}. Write one "
            + $"value{(channels == 1 ? "" : $", or {channels}")}.";
}
