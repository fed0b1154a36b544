using Microsoft.Build.Framework;
using ModelBuild.Shared;

namespace ModelBuild.Tasks;

/// <summary>The metadata of an OnnxModel item; what they may say is in <see cref="ItemOptions"/>.</summary>
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

    /// <summary>Whether EnableDefaultOnnxModelItems made the item: then it stands in no file of the user's, though an Update of it may.</summary>
    public static bool IsDefaultItem(ITaskItem item) => item.GetMetadata("_ModelBuildDefault") == "true";

    /// <summary>The value of a metadata; null where it is empty, or a list of nothing (<c>;</c>, as <c>$(Undefined);</c> leaves it): both mean the
    /// default.</summary>
    public static string? Value(ITaskItem item, string name) => ItemOptions.Value(name, item.GetMetadata(name));
}
