using System.Globalization;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Profiles;
using ModelBuild.Shared;

namespace ModelBuild.Compression.Planning;

/// <summary>What is preferred among candidates within budget.</summary>
public enum Objective
{
    /// <summary>The least predicted time; among equals the smallest file.</summary>
    Latency,
    /// <summary>The smallest file; among equals the least predicted time.</summary>
    Size,
    /// <summary>The least product of both ratios.</summary>
    Balanced,
}

/// <summary>The options of one model: the item's metadata, or the command line's options of the same meaning.</summary>
public sealed record CompressionOptions
{
    /// <summary>The targets, best first.</summary>
    public required IReadOnlyList<HardwareProfile> Profiles { get; init; }

    /// <summary><c>auto</c>, <c>none</c> or a recipe.</summary>
    public string Technique { get; init; } = "auto";

    /// <summary>Files, folders or globs of calibration data.</summary>
    public IReadOnlyList<string> CalibrationData { get; init; } = [];

    /// <summary>Files, folders or globs of evaluation data.</summary>
    public IReadOnlyList<string> EvaluationData { get; init; } = [];

    /// <summary>Files, folders or globs of data to train on; nothing trains yet.</summary>
    public IReadOnlyList<string> TrainingData { get; init; } = [];

    /// <summary>Seconds for training; nothing trains yet.</summary>
    public double TrainingTime { get; init; }

    /// <summary>Seconds for searching; nothing searches yet.</summary>
    public double SearchTime { get; init; }

    /// <summary>How images become inputs.</summary>
    public ImageOptions Images { get; init; } = new();

    /// <summary>The metric, or <c>auto</c>.</summary>
    public string Metric { get; init; } = "auto";

    /// <summary>The judged outputs; empty for all float outputs.</summary>
    public IReadOnlyList<string> MetricOutputs { get; init; } = [];

    /// <summary>The accepted loss, or null for the metric's default.</summary>
    public double? MaxAccuracyLoss { get; init; }

    /// <summary>What is preferred.</summary>
    public Objective Optimize { get; init; }

    /// <summary>The largest file in bytes, or null.</summary>
    public long? MaxSize { get; init; }

    /// <summary>The longest call in nanoseconds, or null.</summary>
    public double? MaxLatency { get; init; }

    /// <summary><c>auto</c>, <c>managed</c> or <c>onnxruntime</c>.</summary>
    public string Backend { get; init; } = "auto";

    /// <summary>Sizes of named dimensions that the item fixes.</summary>
    public IReadOnlyDictionary<string, long> Shapes { get; init; } = new Dictionary<string, long>();

    /// <summary>Whether a missed budget is an error; otherwise the original ships, with a warning.</summary>
    public bool ErrorOnBudgetMiss { get; init; }

    /// <summary>Seed of everything random.</summary>
    public int Seed { get; init; }

    /// <summary>Whether what is chosen for latency is timed against the original where the profile is this machine's.</summary>
    public bool Measure { get; init; } = true;

    /// <summary>Threads that the compiler may use.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Reads options as the item's metadata state them.</summary>
    /// <param name="values">Metadata by name; lists separated by <c>;</c>.</param>
    /// <param name="data">Data by name: full paths of files and folders, or globs. Apart from the values, because a path may hold a <c>;</c>.</param>
    /// <param name="profiles">The targets.</param>
    /// <exception cref="CompressionException">A value is none of those that the metadata takes (MDLB0001, MDLB0002).</exception>
    public static CompressionOptions Parse(IReadOnlyDictionary<string, string> values, IReadOnlyDictionary<string, IReadOnlyList<string>> data, IReadOnlyList<HardwareProfile> profiles)
    {
        string? Text(string name) => values.TryGetValue(name, out var v) && v.Trim().Length > 0 ? v.Trim() : null;
        IReadOnlyList<string> List(string name) => Text(name)?.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];
        T Choice<T>(string name, T standard, params (string Text, T Value)[] choices)
        {
            if (Text(name) is not { } text)
                return standard;
            foreach (var choice in choices)
                if (string.Equals(choice.Text, text, StringComparison.OrdinalIgnoreCase))
                    return choice.Value;
            throw new CompressionException("MDLB0001", $"{name}={text}: there is no such value{Suggestion.For(text, choices.Select(c => c.Text))}; there are {string.Join(", ", choices.Select(c => c.Text))}", name);
        }
        double? Number(string name, Func<string, double?> read, Func<double, bool> isValid, string expected)
        {
            if (Text(name) is not { } text)
                return null;
            return read(text) is { } v && isValid(v) ? v : throw new CompressionException("MDLB0002", $"{name}=\"{text}\" is not {expected}", name);
        }
        int? Integer(string name, int least) => (int?)Number(name, Quantities.Number, v => v >= least && v <= int.MaxValue && v == Math.Floor(v), $"an integer of at least {least}");
        double? Seconds(string name) => Number(name, Quantities.Seconds, v => v >= 0, "a time, such as 90s, 10min or 0");

        return new()
        {
            Profiles = profiles,
            Technique = Text("Technique") ?? "auto",
            CalibrationData = data.GetValueOrDefault("CalibrationData", []),
            EvaluationData = data.GetValueOrDefault("EvaluationData", []),
            TrainingData = data.GetValueOrDefault("TrainingData", []),
            TrainingTime = Seconds("TrainingTime") ?? 0,
            SearchTime = Seconds("SearchTime") ?? 0,
            Images = ImageOptions.Parse(Text("ImageResize"), Text("ImageMean"), Text("ImageScale"), Text("ImageOrder")),
            Metric = Text("Metric") ?? "auto",
            MetricOutputs = List("MetricOutputs"),
            MaxAccuracyLoss = Number("MaxAccuracyLoss", Quantities.Number, v => v >= 0, "a number of at least 0, such as 0.01"),
            Optimize = Choice("Optimize", Objective.Latency, ("latency", Objective.Latency), ("size", Objective.Size), ("balanced", Objective.Balanced)),
            MaxSize = (long?)Number("MaxSize", Quantities.Bytes, v => v > 0, "a size above 0, such as 4MB or 300KB"),
            MaxLatency = Number("MaxLatency", Quantities.SecondsWithUnit, v => v > 0, "a time above 0 with its unit, such as 5ms") * 1e9,
            Backend = Choice("Backend", "auto", [.. CompilerBackends.Names.Prepend("auto").Select(n => (n, n))]),
            Shapes = ParseShapes(Text("Shapes") ?? ""),
            ErrorOnBudgetMiss = Choice("OnBudgetMiss", false, ("fallback", false), ("error", true)),
            Seed = Integer("Seed", 0) ?? 0,
            Threads = Integer("Threads", 1) ?? 1,
        };
    }

    private static Dictionary<string, long> ParseShapes(string text)
    {
        var shapes = new Dictionary<string, long>(StringComparer.Ordinal);
        return FixedShapes.Read(text, shapes) is { } problem ? throw new CompressionException("MDLB0003", problem, "Shapes") : shapes;
    }
}
