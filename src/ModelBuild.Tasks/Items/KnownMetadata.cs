using Microsoft.Build.Framework;

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

    /// <summary>Metadata that are lists.</summary>
    public static readonly IReadOnlyList<string> Lists = [.. Data, "Profile", "MetricOutputs", "Shapes", "ImageMean", "ImageScale"];

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

    /// <summary>Whether EnableDefaultOnnxModelItems made the item: then it stands in no file of the user's, though an Update of it may.</summary>
    public static bool IsDefaultItem(ITaskItem item) => item.GetMetadata("_ModelBuildDefault") == "true";

    /// <summary>The value of a metadata; null where it is empty, or a list of nothing (<c>;</c>, as <c>$(Undefined);</c> leaves it): both mean the default.</summary>
    public static string? Value(ITaskItem item, string name)
    {
        var text = item.GetMetadata(name).Trim();
        return text.Length == 0 || (Lists.Contains(name) && text.All(c => c is ';' or ',' || char.IsWhiteSpace(c))) ? null : text;
    }
}
