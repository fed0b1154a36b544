using System.Collections.Concurrent;

namespace ModelBuild.Loading;

/// <summary>
/// Compares artifacts with the SHA-256 that the build recorded, once in a process for each file and time: an artifact of another build may have the same
/// signature and size, and flipped weights give answers, too. Small ones are read while they are loaded, large ones meanwhile, and no call runs before that is
/// done.
/// </summary>
internal static class ArtifactVerification
{
    // What is hashed in a few milliseconds.
    private const long Small = 4 << 20;
    private static readonly ConcurrentDictionary<string, string> Known = new(StringComparer.Ordinal);

    /// <summary>Starts to verify an artifact.</summary>
    /// <param name="artifact">The artifact.</param>
    /// <param name="hash">Its hash, computed on first use.</param>
    /// <param name="entry">What the manifest says of it.</param>
    /// <returns>The rest of the work, which fails as this does; null where it is done.</returns>
    /// <exception cref="ModelLoadException">MDLB3012: it is another one than the build wrote.</exception>
    public static Task? Start(ModelArtifact artifact, Lazy<string> hash, ManifestArtifact entry)
    {
        var data = entry.Data is { } beside ? Path.Combine(Path.GetDirectoryName(artifact.Path)!, beside.File) : null;
        var isQuick = data is null && (artifact.Length <= Small || (artifact.Identity is { } identity && Known.ContainsKey(identity)));
        // A browser has one thread, which must not wait.
        if (isQuick || OperatingSystem.IsBrowser())
        {
            Verify(artifact, hash, entry, data);
            return null;
        }
        return Task.Run(() => Verify(artifact, hash, entry, data));
    }

    private static void Verify(ModelArtifact artifact, Lazy<string> hash, ManifestArtifact entry, string? data)
    {
        var actual = artifact.Identity is { } identity ? Known.GetOrAdd(identity, _ => hash.Value) : hash.Value;
        if (!string.Equals(actual, entry.Sha256, StringComparison.OrdinalIgnoreCase)) throw Different(artifact.Origin, actual, entry.Sha256);
        if (data is null) return;
        using ModelArtifact weights = ModelArtifact.FromFile(data, artifact.Profile);
        var weightsHash = Known.GetOrAdd(weights.Identity!, _ => weights.ComputeSha256());
        // The file is named by the first half of its hash.
        var name = Path.GetFileNameWithoutExtension(data);
        if (!weightsHash.StartsWith(name, StringComparison.OrdinalIgnoreCase)) throw Different(data, weightsHash, name + "...");
    }

    private static ModelLoadException Different(string origin, string actual, string recorded) => new(RuntimeCodes.ArtifactChanged,
        $"'{origin}' is not what the build wrote: its SHA-256 is {actual}, recorded is {recorded}. It was changed, or is of another build. Build the "
            + $"project again, and deploy the folder 'modelbuild' as a whole. " +
        $"({nameof(ModelOptions)}.{nameof(ModelOptions.VerifyArtifact)} = false loads it as it is.)");
}
