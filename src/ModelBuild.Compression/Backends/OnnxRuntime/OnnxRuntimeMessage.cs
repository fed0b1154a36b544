using System.Text.RegularExpressions;

namespace ModelBuild.Compression.Backends;

/// <summary>What ONNX Runtime says, made fit for one line of a build's output.</summary>
internal static partial class OnnxRuntimeMessage
{
    /// <summary>The message without places in ONNX Runtime's own source, on one line.</summary>
    public static string OneLine(string message) => Spaces().Replace(SourcePlace().Replace(message, ""), " ").Trim();

    /// <summary>Whether ONNX Runtime is older than the model's operator set or IR version.</summary>
    public static bool IsTooNew(string message) =>
        message.Contains("Unsupported model IR version", StringComparison.Ordinal) || message.Contains("official support for domain", StringComparison.Ordinal);

    // "/onnxruntime_src/onnxruntime/core/graph/model.cc:181 onnxruntime::Model::Model(...) " before what went wrong.
    [GeneratedRegex(@"/onnxruntime_src/\S+:\d+ [^()\n]*\([^()\n]*\)\s+")]
    private static partial Regex SourcePlace();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
