namespace ModelBuild;

/// <summary>An artifact that a build wrote, and where it came from.</summary>
public sealed class ModelArtifact
{
    /// <summary>The profile that it was compiled for.</summary>
    public required string Profile { get; init; }

    /// <summary>The full path of the file, or null where the artifact is a resource.</summary>
    public string? Path { get; init; }

    /// <summary>Where the artifact came from, for messages: the path, or the name of the resource.</summary>
    public required string Origin { get; init; }

    /// <summary>SHA-256 of the content as the build recorded it, lower-case hexadecimal.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Size of the content in bytes as the build recorded it.</summary>
    public required long Bytes { get; init; }

    /// <summary>Opens the content for reading.</summary>
    public required Func<Stream> Open { get; init; }
}
