using System.Text.Json;
using System.Text.Json.Serialization;

namespace ModelBuild.Compiler.Build;

/// <summary>What the MSBuild task asks for: all models of a project (docs/formats.md). Nothing else is read: no environment, no current directory.</summary>
internal sealed record BuildRequest
{
    public const int SupportedFormat = 1;

    public required int Format { get; init; }
    public required string Project { get; init; }
    public required string Cache { get; init; }
    public long CacheLimit { get; init; } = 10L << 30;
    public int Cores { get; init; } = 1;

    /// <summary>Whether the project references ModelBuild.OnnxRuntime.</summary>
    public bool OnnxRuntime { get; init; }

    /// <summary>Whether the project is an executable.</summary>
    public bool Executable { get; init; }

    /// <summary>Whether what is chosen for latency is timed against the original.</summary>
    public bool Measure { get; init; } = true;

    /// <summary>Whether what ships is written into a lock file beside each model.</summary>
    public bool LockFile { get; init; }

    /// <summary>Whether nothing is chosen and the lock files are applied.</summary>
    public bool LockedMode { get; init; }
    public required IReadOnlyList<ModelRequest> Models { get; init; }

    public static BuildRequest Read(string path)
    {
        using var stream = File.OpenRead(path);
        var request = JsonSerializer.Deserialize(stream, BuildJson.Default.BuildRequest) ?? throw new JsonException("the request is null");
        return request.Format == SupportedFormat ? request
            : throw new JsonException($"request format {request.Format} is not {SupportedFormat}: package and compiler are of different versions");
    }
}

/// <summary>One model of a request.</summary>
internal sealed record ModelRequest
{
    public required string Class { get; init; }
    public required string Assembly { get; init; }
    public required string Model { get; init; }
    public required string Signature { get; init; }
    public required string Output { get; init; }

    /// <summary>Where it is noted what is tried, for the process after one that ended in the midst of it; null to note nothing.</summary>
    public string? Journal { get; init; }
    public required IReadOnlyList<string> Profiles { get; init; }
    public IReadOnlyDictionary<string, JsonElement> Options { get; init; } = new Dictionary<string, JsonElement>();
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> HardwareProfiles { get; init; } = new Dictionary<string,
        IReadOnlyDictionary<string, string>>();

    /// <summary>The options but for the data, as the user wrote them.</summary>
    public IReadOnlyDictionary<string, string> Texts() =>
        Options.Where(o => o.Value.ValueKind != JsonValueKind.Array).ToDictionary(o => o.Key, o => o.Value.ToString(), StringComparer.Ordinal);

    /// <summary>The paths of the data, by metadata name.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Data() =>
        Options.Where(o => o.Value.ValueKind == JsonValueKind.Array)
            .ToDictionary(o => o.Key, o => (IReadOnlyList<string>)[.. o.Value.EnumerateArray().Select(e => e.ToString())], StringComparer.Ordinal);
}

/// <summary>The hash of a signature file; the compiler needs no more of it.</summary>
internal sealed record SignatureFile(string SignatureHash);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BuildRequest))]
[JsonSerializable(typeof(SignatureFile))]
[JsonSerializable(typeof(Reply))]
[JsonSerializable(typeof(ManifestFile))]
[JsonSerializable(typeof(CacheEntry))]
internal sealed partial class BuildJson : JsonSerializerContext;
