namespace ModelBuild.Compiler;

/// <summary>The codes of what is reported by the command and by builds. Each has a page in docs/diagnostics.</summary>
internal static class CompilerCodes
{
    /// <summary>A metadata value is not known.</summary>
    public const string UnknownValue = "MDLB0001";

    /// <summary>A command does not go with a backend.</summary>
    public const string CommandNotForBackend = "MDLB0005";

    /// <summary>A metric needs labels.</summary>
    public const string MetricNeedsLabels = "MDLB0013";

    /// <summary>The profile is not known.</summary>
    public const string UnknownProfile = "MDLB0020";

    /// <summary>A HardwareProfile item is wrong.</summary>
    public const string BadHardwareProfile = "MDLB0021";

    /// <summary>A HardwareProfile item has a wrong field.</summary>
    public const string BadHardwareField = "MDLB0022";

    /// <summary>The output would overwrite what is read.</summary>
    public const string WouldOverwrite = "MDLB0050";

    /// <summary>The request of a build cannot be read.</summary>
    public const string RequestUnreadable = "MDLB0099";

    /// <summary>Data is not there.</summary>
    public const string DataMissing = "MDLB1109";

    /// <summary>There is no lock file to apply.</summary>
    public const string NoLockFile = "MDLB2040";

    /// <summary>The lock file does not fit.</summary>
    public const string LockFileDoesNotFit = "MDLB2041";

    /// <summary>The lock file cannot be read or written.</summary>
    public const string LockFileUnreadable = "MDLB2042";

    /// <summary>Memory was exhausted.</summary>
    public const string OutOfMemory = "MDLB2093";

    /// <summary>Artifacts cannot be written.</summary>
    public const string ArtifactsNotWritten = "MDLB3030";

    /// <summary>The project lacks ONNX Runtime.</summary>
    public const string ProjectLacksRuntime = "MDLB3031";
}
