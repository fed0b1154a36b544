using System.Text.Json;

namespace ModelBuild.Loading;

/// <summary>Reads manifests token by token: no reflection, so that trimmed and native apps carry nothing for it. Unknown properties are skipped.</summary>
internal static class ManifestReader
{
    private const int NewestFormat = 1;

    public static Manifest Read(ReadOnlySpan<byte> utf8, string origin)
    {
        try
        {
            if (utf8.StartsWith("\uFEFF"u8)) utf8 = utf8[3..];
            Utf8JsonReader json = new(utf8);
            return ReadManifest(ref json, origin);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw Damaged(origin, e.Message, e);
        }
    }

    private static Manifest ReadManifest(ref Utf8JsonReader json, string origin)
    {
        string? className = null, signature = null;
        long format = 0;
        List<ManifestArtifact> artifacts = [];
        json.Read();
        Expect(ref json, JsonTokenType.StartObject);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var property = json.GetString()!;
            json.Read();
            switch (property)
            {
                case "format":
                    format = json.GetInt64();
                    if (format > NewestFormat)
                        throw new ModelLoadException(RuntimeCodes.OtherFormat,
                            $"'{origin}' has format {format}; this version of ModelBuild.Runtime reads up to {NewestFormat}. Update the package "
                            + $"ModelBuild.Runtime to the version that built the model.");
                    break;
                case "class": className = json.GetString(); break;
                case "signatureHash": signature = json.GetString(); break;
                case "artifacts":
                    Expect(ref json, JsonTokenType.StartArray);
                    while (json.Read() && json.TokenType != JsonTokenType.EndArray) artifacts.Add(ReadArtifact(ref json, origin));
                    break;
                default: json.Skip(); break;
            }
        }
        if (format < 1 || className is null || signature is null) throw Damaged(origin, "format, class or signatureHash is missing");
        return new Manifest(origin, className, signature, artifacts);
    }

    private static ManifestArtifact ReadArtifact(ref Utf8JsonReader json, string origin)
    {
        string? profile = null, file = null, backend = null, sha256 = null, technique = null, unknown = null;
        long bytes = -1;
        (string File, long Bytes)? data = null;
        CpuFeatures? requires = null;
        Expect(ref json, JsonTokenType.StartObject);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var property = json.GetString()!;
            json.Read();
            switch (property)
            {
                case "profile": profile = json.GetString(); break;
                case "file": file = json.GetString(); break;
                case "backend": backend = json.GetString(); break;
                case "bytes": bytes = json.GetInt64(); break;
                case "sha256": sha256 = json.GetString(); break;
                case "technique": technique = json.GetString(); break;
                case "data": data = ReadData(ref json, origin); break;
                case "requires":
                    requires = CpuFeatures.None;
                    Expect(ref json, JsonTokenType.StartArray);
                    while (json.Read() && json.TokenType != JsonTokenType.EndArray)
                    {
                        var name = json.GetString() ?? "";
                        if (HardwareProfiles.TryParse(name, out CpuFeatures feature)) requires |= feature;
                        else unknown = name;
                    }
                    break;
                default: json.Skip(); break;
            }
        }
        if (profile is null || file is null || backend is null || sha256 is null || bytes < 0) throw Damaged(origin,
            "an artifact lacks profile, file, backend, bytes or sha256");
        CheckName(file, origin);
        return new ManifestArtifact(profile, file, backend, bytes, sha256, technique ?? "none", requires ?? HardwareProfiles.Requires(profile), unknown, data);
    }

    private static (string File, long Bytes) ReadData(ref Utf8JsonReader json, string origin)
    {
        string? file = null;
        long bytes = -1;
        Expect(ref json, JsonTokenType.StartObject);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var property = json.GetString()!;
            json.Read();
            switch (property)
            {
                case "file": file = json.GetString(); break;
                case "bytes": bytes = json.GetInt64(); break;
                default: json.Skip(); break;
            }
        }
        if (file is null || bytes < 0) throw Damaged(origin, "the data of an artifact lacks file or bytes");
        CheckName(file, origin);
        return (file, bytes);
    }

    // Artifacts lie beside their manifest: a manifest must not point anywhere else.
    private static void CheckName(string file, string origin)
    {
        if (file.Length == 0 || file.AsSpan().IndexOfAny('/', '\\', ':') >= 0 || file is "." or "..") throw Damaged(origin, $"'{file}' is no file name");
    }

    private static void Expect(ref Utf8JsonReader json, JsonTokenType type)
    {
        if (json.TokenType != type) throw new JsonException($"{type} expected at byte {json.TokenStartIndex}, found {json.TokenType}");
    }

    private static ModelLoadException Damaged(string origin, string detail, Exception? cause = null) =>
        new(RuntimeCodes.ArtifactDamaged,
            $"the manifest '{origin}' is damaged: {detail}. Build the project again, and deploy the folder 'modelbuild' with the app.", cause);
}
