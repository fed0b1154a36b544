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
    /// <exception cref="CompressionException">A value is none of those that the metadata takes (MDLB0001 to MDLB0004).</exception>
    public static CompressionOptions Parse(IReadOnlyDictionary<string, string> values, IReadOnlyDictionary<string, IReadOnlyList<string>> data,
        IReadOnlyList<HardwareProfile> profiles)
    {
        foreach (var (name, text) in values)
            if (ItemOptions.Value(name, text) is { } value && ItemOptions.Problem(name, value) is { } problem)
                throw new CompressionException(problem.Code, problem.Text, name);
        string? Text(string name) => ItemOptions.Value(name, values.GetValueOrDefault(name));
        IReadOnlyList<string> List(string name) => Text(name)?.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];
        double? Read(string name, Func<string, double?> read) => Text(name) is { } text ? read(text) : null;
        var shapes = new Dictionary<string, long>(StringComparer.Ordinal);
        FixedShapes.Read(Text("Shapes") ?? "", shapes);

        return new()
        {
            Profiles = profiles,
            Technique = Text("Technique") ?? "auto",
            CalibrationData = data.GetValueOrDefault("CalibrationData", []),
            EvaluationData = data.GetValueOrDefault("EvaluationData", []),
            TrainingData = data.GetValueOrDefault("TrainingData", []),
            TrainingTime = Read("TrainingTime", Quantities.Seconds) ?? 0,
            SearchTime = Read("SearchTime", Quantities.Seconds) ?? 0,
            Images = ImageOptions.Parse(Text("ImageResize"), Text("ImageMean"), Text("ImageScale"), Text("ImageOrder")),
            Metric = Text("Metric") ?? "auto",
            MetricOutputs = List("MetricOutputs"),
            MaxAccuracyLoss = Read("MaxAccuracyLoss", Quantities.Number),
            Optimize = Enum.Parse<Objective>(Text("Optimize") ?? nameof(Objective.Latency), ignoreCase: true),
            MaxSize = (long?)Read("MaxSize", Quantities.Bytes),
            MaxLatency = Read("MaxLatency", Quantities.SecondsWithUnit) * 1e9,
            Backend = Text("Backend") ?? "auto",
            Shapes = shapes,
            ErrorOnBudgetMiss = Text("OnBudgetMiss") == "error",
            Seed = (int?)Read("Seed", Quantities.Number) ?? 0,
            Threads = (int?)Read("Threads", Quantities.Number) ?? 1,
        };
    }
}
