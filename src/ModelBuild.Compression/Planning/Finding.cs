namespace ModelBuild.Compression.Planning;

/// <summary>How much a finding matters to the build.</summary>
public enum Severity
{
    /// <summary>Said in the build's messages.</summary>
    Message,
    /// <summary>A warning.</summary>
    Warning,
    /// <summary>The build fails.</summary>
    Error,
}

/// <summary>Something that the user should know about a model.</summary>
/// <param name="Severity">How much it matters.</param>
/// <param name="Code">The diagnostic code.</param>
/// <param name="Text">What was found and what to do.</param>
/// <param name="Metadata">The item metadata that it concerns, or null.</param>
public sealed record Finding(Severity Severity, string Code, string Text, string? Metadata = null);
