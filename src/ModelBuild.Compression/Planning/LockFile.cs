using System.Text.Json;
using System.Text.Json.Serialization;
using ModelBuild.Compression.Reporting;
using ModelBuild.Shared;

namespace ModelBuild.Compression.Planning;

/// <summary>
/// What ships of a model, as plans that anyone can apply without data: <c>&lt;model&gt;.modelbuild.lock.json</c> beside the model. Builds that apply it give
/// the same bytes on every machine.
/// </summary>
/// <param name="Format">The number of the format.</param>
/// <param name="Models">What was made of the model, by assembly and class: several projects, and several classes of one, may share a model.</param>
public sealed record LockFile(int Format, SortedDictionary<string, LockedModel> Models)
{
    /// <summary>The number of the format.</summary>
    public const int CurrentFormat = 1;

    /// <summary>The lock file of a model.</summary>
    /// <param name="model">The path of the model.</param>
    public static string PathOf(string model) => LockFileName.Of(model);

    /// <summary>Reads a lock file; an empty one where there is none.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="CompressionException">MDLB2042: the file is no lock file, or of a newer version.</exception>
    public static LockFile Read(string path)
    {
        if (!File.Exists(path))
            return new(CurrentFormat, new(StringComparer.Ordinal));
        try
        {
            var read = JsonSerializer.Deserialize(File.ReadAllBytes(path), LockFileJson.Default.LockFile) ?? throw new JsonException("it is null");
            if (read.Format != CurrentFormat)
                throw new JsonException($"its format is {read.Format}, this version of ModelBuild reads {CurrentFormat}");
            return read;
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or InvalidOperationException)
        {
            throw new CompressionException(Codes.LockFileUnreadable,
                $"'{path}' cannot be read as a lock file: {e.Message}. Restore it from version control, or delete it and build once with "
                + $"ModelBuildLockFile=true", null, e);
        }
    }

    /// <summary>The file's content.</summary>
    public byte[] ToBytes() => [.. JsonSerializer.SerializeToUtf8Bytes(this, LockFileJson.Default.LockFile), (byte)'\n'];
}

/// <summary>What was made of a model for one class.</summary>
/// <param name="ToolVersion">The compiler that made it; for messages.</param>
/// <param name="Model">SHA-256 of the model's file, and of those that its weights lie in.</param>
/// <param name="Graph">SHA-256 of the graph after lossless clean-up; null where there is none.</param>
/// <param name="SignatureHash">The hash of the signature that artifacts carry.</param>
/// <param name="Options">The item's metadata but for the data, as written.</param>
/// <param name="Data">SHA-256 over the files of each piece of data; not needed to apply the plans.</param>
/// <param name="Profiles">What ships for each profile, best first.</param>
public sealed record LockedModel(string ToolVersion, IReadOnlyList<string> Model, string? Graph, string SignatureHash, SortedDictionary<string,
    string> Options, SortedDictionary<string, string> Data,
    IReadOnlyList<LockedProfile> Profiles);

/// <summary>What ships for a profile.</summary>
/// <param name="Profile">The profile's name.</param>
/// <param name="Identity">All of its fields.</param>
/// <param name="Backend">What runs it.</param>
/// <param name="Technique">The recipe.</param>
/// <param name="Plan">The plan (<see cref="Planning.Plan.ToJson"/>); null where the user's file ships as it is.</param>
/// <param name="Graphs">SHA-256 of the graph after each step of the plan.</param>
/// <param name="Sha256">The artifact.</param>
/// <param name="Metric">What it was verified to lose when the plan was made; null without data.</param>
public sealed record LockedProfile(string Profile, string Identity, string Backend, string Technique, JsonElement? Plan, IReadOnlyList<string> Graphs,
    string Sha256, MetricFacts? Metric);

[JsonSourceGenerationOptions(WriteIndented = true, RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(LockFile))]
internal sealed partial class LockFileJson : JsonSerializerContext;
