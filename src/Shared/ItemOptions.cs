namespace ModelBuild.Shared;

/// <summary>
/// What the options of an item may say: one grammar for the tasks, which check while one types, for the compiler and for the options of the command.
/// </summary>
internal static class ItemOptions
{
    /// <summary>Options that take one of some words, the default first.</summary>
    public static readonly IReadOnlyDictionary<string, string[]> Words = new Dictionary<string, string[]>(StringComparer.Ordinal)
    {
        ["Optimize"] = ["latency", "size", "balanced"],
        ["Backend"] = ["auto", "managed", "onnxruntime"],
        ["Accessibility"] = ["internal", "public"],
        ["Embed"] = ["false", "true"],
        ["OnBudgetMiss"] = ["fallback", "error"],
        ["ImageResize"] = ["crop", "fit", "stretch"],
        ["ImageOrder"] = ["rgb", "bgr"],
    };

    /// <summary>Options that are lists.</summary>
    public static readonly IReadOnlyList<string> Lists = ["CalibrationData", "TrainingData", "EvaluationData", "Profile", "MetricOutputs", "Shapes",
        "ImageMean", "ImageScale"];

    private static readonly IReadOnlyDictionary<string, (Func<string, bool> IsValid, string Expected)> Quantity = new Dictionary<string,
        (Func<string, bool>, string)>(StringComparer.Ordinal)
    {
        ["MaxAccuracyLoss"] = (static text => Quantities.Number(text) >= 0, "a number of at least 0, such as 0.01"),
        ["Seed"] = (static text => IsInteger(text, 0), "an integer of at least 0"),
        ["Threads"] = (static text => IsInteger(text, 1), "an integer of at least 1"),
        ["TrainingTime"] = (static text => Quantities.Seconds(text) >= 0, "a time, such as 90s, 10min or 0"),
        ["SearchTime"] = (static text => Quantities.Seconds(text) >= 0, "a time, such as 90s, 10min or 0"),
        ["MaxLatency"] = (static text => Quantities.SecondsWithUnit(text) > 0, "a time above 0 with its unit, such as 5ms"),
        ["MaxSize"] = (static text => Quantities.Bytes(text) > 0, "a size above 0, such as 4MB or 300KB"),
    };

    /// <summary>What an option says; null where it is empty, or a list of nothing (<c>;</c>, as <c>$(Undefined);</c> leaves it): both mean the
    /// default.</summary>
    /// <param name="name">The option.</param>
    /// <param name="text">As it is written.</param>
    public static string? Value(string name, string? text)
    {
        var value = text?.Trim() ?? "";
        return value.Length == 0 || Lists.Contains(name) && value.All(static c => c is ';' or ',' || char.IsWhiteSpace(c)) ? null : value;
    }

    /// <summary>What is wrong with an option, with the code of the diagnostic; null where nothing is, or where any text will do.</summary>
    /// <param name="name">The option.</param>
    /// <param name="value">What it says.</param>
    public static (string Code, string Text)? Problem(string name, string value)
    {
        // Words are lower case; true and false are MSBuild's, which writes them in any case.
        if (Words.TryGetValue(name, out var words) && !words.Contains(value, name == "Embed" ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal))
            return (SharedCodes.UnknownValue, $"{name}=\"{value}\" is not known.{Suggestion.Sentence(value, words)} Use one of: {string.Join(", ", words)}.");
        if (Quantity.TryGetValue(name, out var quantity) && !quantity.IsValid(value))
            return (SharedCodes.BadNumber, $"{name}=\"{value}\" is not {quantity.Expected}.");
        if (name == "Shapes" && FixedShapes.Read(value, new Dictionary<string, long>()) is { } shapes)
            return (SharedCodes.BadShapes, shapes);
        return name is "ImageMean" or "ImageScale" && ChannelNumbers.Read(name, value, out _) is { } channels ? (SharedCodes.BadImage, channels) : null;
    }

    private static bool IsInteger(string text, int least) => Quantities.Number(text) is { } number && number >= least && number <= int.MaxValue
        && number == Math.Floor(number);
}
