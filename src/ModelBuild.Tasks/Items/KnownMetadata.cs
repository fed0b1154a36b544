namespace ModelBuild.Tasks;

/// <summary>The metadata of an OnnxModel item, and the values that those with a fixed set of them take.</summary>
internal static class KnownMetadata
{
    /// <summary>Metadata that the compiler gets, as the user wrote them.</summary>
    public static readonly IReadOnlyList<string> Options =
    [
        "Technique", "TrainingTime", "SearchTime", "Seed", "Metric", "MetricOutputs", "MaxAccuracyLoss", "Optimize", "MaxSize", "MaxLatency", "Backend",
        "Shapes", "OnBudgetMiss", "ImageResize", "ImageMean", "ImageScale", "ImageOrder",
    ];

    /// <summary>Metadata that name data: files, folders or globs, separated by <c>;</c>.</summary>
    public static readonly IReadOnlyList<string> Data = ["CalibrationData", "TrainingData", "EvaluationData"];

    /// <summary>Every metadata name that means something here.</summary>
    public static readonly IReadOnlyList<string> Names =
        [.. Options, .. Data, "Profile", "ClassName", "Namespace", "Accessibility", "Embed", "Sha256", "Labels"];

    /// <summary>The values that a metadata may take, the default first.</summary>
    public static readonly IReadOnlyDictionary<string, string[]> Values = new Dictionary<string, string[]>(StringComparer.Ordinal)
    {
        ["Optimize"] = ["latency", "size", "balanced"],
        ["Backend"] = ["auto", "managed", "onnxruntime"],
        ["Accessibility"] = ["internal", "public"],
        ["Embed"] = ["false", "true"],
        ["OnBudgetMiss"] = ["fallback", "error"],
        ["ImageResize"] = ["crop", "fit", "stretch"],
        ["ImageOrder"] = ["rgb", "bgr"],
    };
}
