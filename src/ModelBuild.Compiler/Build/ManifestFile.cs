using System.Text.Json;
using System.Text.Json.Serialization;

namespace ModelBuild.Compiler.Build;

/// <summary>The manifest that tells a generated class which file serves which profile (docs/formats.md).</summary>
internal sealed record ManifestFile
{
    public int Format { get; init; } = 1;
    public required string Class { get; init; }
    public required string SignatureHash { get; init; }
    public required string ToolVersion { get; init; }
    public required IReadOnlyList<ManifestArtifact> Artifacts { get; init; }

    public void Write(string path) => File.WriteAllText(path, JsonSerializer.Serialize(this, BuildJson.Default.ManifestFile) + "\n");
}

/// <summary>One artifact of a manifest; several profiles may share a file.</summary>
internal sealed record ManifestArtifact(string Profile, string File, string Backend, long Bytes, string Sha256, string Technique,
    IReadOnlyList<string> Requires,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ManifestData? Data);

/// <summary>The weights of an artifact beyond 2 GB, in a file beside it that is named by its content's hash.</summary>
internal sealed record ManifestData(string File, long Bytes);
