using ModelBuild.Shared;

namespace ModelBuild.Tasks;

/// <summary>The request that the compiler reads (docs/formats.md).</summary>
internal sealed record CompileRequest
{
    private const int Format = 1;

    public required string ProjectFile { get; init; }

    public required string AssemblyName { get; init; }

    public required string Cache { get; init; }

    public required long CacheLimit { get; init; }

    public required int Cores { get; init; }

    public required bool OnnxRuntime { get; init; }

    public required bool Executable { get; init; }

    public required bool Measure { get; init; }

    public required bool LockFile { get; init; }

    public required bool LockedMode { get; init; }

    public required HardwareProfiles HardwareProfiles { get; init; }

    /// <summary>The JSON for some of the project's models.</summary>
    /// <param name="models">The models.</param>
    /// <param name="signaturePath">Where the signature of a model lies.</param>
    /// <param name="outputDirectory">Where the artifacts of a model go.</param>
    /// <param name="journalPath">Where the compiler notes what it tries for a model.</param>
    public string ToJson(IEnumerable<ModelItem> models, Func<ModelItem, string> signaturePath, Func<ModelItem, string> outputDirectory, Func<ModelItem,
        string> journalPath)
    {
        var json = new JsonWriter().BeginObject()
            .Value("format", Format)
            .Value("project", ProjectFile)
            .Value("cache", Cache)
            .Value("cacheLimit", CacheLimit)
            .Value("cores", Cores)
            .Value("onnxRuntime", OnnxRuntime)
            .Value("executable", Executable)
            .Value("measure", Measure)
            .Value("lockFile", LockFile)
            .Value("lockedMode", LockedMode)
            .BeginArray("models");
        foreach (var model in models)
        {
            json.BeginObject()
                .Value("class", model.ClassName)
                .Value("assembly", AssemblyName)
                .Value("model", model.Path)
                .Value("signature", signaturePath(model))
                .Value("output", outputDirectory(model))
                .Value("journal", journalPath(model))
                .Strings("profiles", model.Profiles)
                .BeginObject("options");
            foreach (var option in model.Options)
                json.Value(option.Key, option.Value);
            foreach (var data in model.Data)
                json.Strings(data.Key, data.Value);
            json.EndObject().BeginObject("hardwareProfiles");
            foreach (var (name, fields) in UsedProfiles(model))
            {
                json.BeginObject(name);
                foreach (var field in fields.OrderBy(field => field.Key, StringComparer.Ordinal))
                    json.Value(field.Key, field.Value);
                json.EndObject();
            }
            json.EndObject().EndObject();
        }
        return json.EndArray().EndObject().ToString();
    }

    // The user's own profiles that a model names, and those that they are based on.
    private IEnumerable<(string Name, IReadOnlyDictionary<string, string> Fields)> UsedProfiles(ModelItem model)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var profile in model.Profiles)
            for (var name = profile; HardwareProfiles.Find(name) is { } fields && seen.Add(name); name = fields["BasedOn"])
                yield return (name, fields);
    }
}
