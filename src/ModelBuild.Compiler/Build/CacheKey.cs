using System.Security.Cryptography;
using System.Text;
using ModelBuild.Compression;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Onnx;

namespace ModelBuild.Compiler.Build;

/// <summary>
/// The address of a model's artifacts: a hash of everything that they depend on. Contents, never paths or times, so that machines and branches share.
/// </summary>
internal static class CacheKey
{
    public static string Of(BuildRequest build, ModelRequest request, IReadOnlyList<HardwareProfile> profiles, string signatureHash)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Add(string name, string value) => hash.AppendData(Encoding.UTF8.GetBytes($"{name}={value.Length}:{value}\n"));

        Add("tool", ToolInfo.Version);
        Add("build", ToolInfo.BuildIdentity);
        Add("class", request.Class);
        Add("signature", signatureHash);
        Add("backends", $"{build.OnnxRuntime} {build.Executable}");
        Add("measure", $"{build.Measure}");
        Add("lock", $"{build.LockFile} {(build.LockedMode && File.Exists(LockFile.PathOf(request.Model)) ? FileHash.Of(LockFile.PathOf(request.Model)) : "")}");
        Add("model", FileHash.Of(request.Model));
        foreach (var file in ExternalFiles.Of(request.Model))
            Add("external", FileHash.Of(file));
        foreach (var (name, value) in request.Texts().OrderBy(o => o.Key, StringComparer.Ordinal))
            Add(name, value);
        foreach (var (name, files) in DataOf(request))
            foreach (var file in files)
                Add(name, file);
        foreach (var profile in profiles)
        {
            Add("profile", $"{profile.Identity} {CostTable.Load(profile.CostClass).Version}");
            if (profile.Name == "host")
                Add("host", CpuFeatureDetection.Class);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>What each piece of data is: for each of its files, the part of its path that carries meaning and the hash. Empty where there is none.</summary>
    public static IEnumerable<(string Name, IReadOnlyList<string> Files)> DataOf(ModelRequest request) =>
        request.Data().OrderBy(o => o.Key, StringComparer.Ordinal)
            .Select(o => (o.Key, (IReadOnlyList<string>)[.. o.Value.SelectMany(path => DataFiles(path, o.Key))
            .Select(f => $"{f.Relative} {FileHash.Of(f.File)}")]));

    /// <summary>The files that a data path names, with the part of their path that carries meaning (class folders, array names).</summary>
    private static IEnumerable<(string Relative, string File)> DataFiles(string path, string name)
    {
        IEnumerable<string> found;
        try
        {
            found = DataLoader.Expand(path, name);
        }
        catch (CompressionException)
        {
            // What does not exist is reported when the data is opened.
            return [];
        }
        var wild = path.IndexOfAny(['*', '?']);
        var origin = wild < 0 && Directory.Exists(path) ? path : Path.GetDirectoryName(wild < 0 ? path : path[..wild])!;
        return found.SelectMany(f => Directory.Exists(f) ? Directory.EnumerateFiles(f, "*", SearchOption.AllDirectories) : [f])
            .Select(f => (Path.GetRelativePath(origin, f), f)).OrderBy(f => f.Item1, StringComparer.Ordinal);
    }
}
