namespace ModelBuild;

/// <summary>The codes of what is reported when a model is loaded or run by ONNX Runtime. Each has a page in docs/diagnostics.</summary>
internal static class OnnxRuntimeCodes
{
    /// <summary>Class and artifact do not belong together.</summary>
    public const string OtherClass = "MDLB3004";

    /// <summary>The native library of ONNX Runtime is missing or too old.</summary>
    public const string NativeLibraryMissing = "MDLB3009";

    /// <summary>The backend refuses the artifact.</summary>
    public const string ArtifactRefused = "MDLB3010";
}
