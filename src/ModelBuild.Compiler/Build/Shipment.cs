using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;

namespace ModelBuild.Compiler.Build;

/// <summary>The artifacts of a class on their way into its folder, and the manifest that names them.</summary>
/// <param name="folder">The folder.</param>
/// <param name="class">The class.</param>
/// <param name="signatureHash">The hash of its signature.</param>
internal sealed class Shipment(string folder, string @class, string signatureHash)
{
    private readonly Dictionary<string, string> _files = new(StringComparer.Ordinal);
    private readonly List<ManifestArtifact> _artifacts = [];

    /// <summary>Adds what ships for a profile, best profile first. Equal artifacts are one file, named after the first profile that has it.</summary>
    public void Add(HardwareProfile profile, Artifact artifact, string backend, string recipe)
    {
        if (!_files.TryGetValue(artifact.Sha256, out var file))
        {
            file = $"{@class}.{profile.Name}{CompilerBackends.Get(backend).Extension}";
            artifact.CopyTo(Path.Combine(folder, file));
            _files.Add(artifact.Sha256, file);
        }
        // What is written here has one file beside it at most.
        var data = artifact.DataPaths is [var path] ? new ManifestData(Path.GetFileName(path), new FileInfo(path).Length) : null;
        _artifacts.Add(new(profile.Name, file, backend, artifact.FileLength, artifact.Sha256, recipe, profile.Requires, data));
    }

    /// <summary>Writes the manifest.</summary>
    public void WriteManifest() =>
        new ManifestFile { Class = @class, SignatureHash = signatureHash, ToolVersion = ToolInfo.Version, Artifacts = _artifacts }
            .Write(Path.Combine(folder, $"{@class}.json"));
}
