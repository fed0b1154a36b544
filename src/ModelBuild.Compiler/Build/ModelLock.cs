using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ModelBuild.Compression;
using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;

namespace ModelBuild.Compiler.Build;

/// <summary>One class's part of a lock file: what a build found out, on its way there, and what a locked build compares itself with.</summary>
/// <param name="request">The model.</param>
internal sealed class ModelLock(ModelRequest request)
{
    private string Path => LockFile.PathOf(request.Model);

    private string TensorsPath => PlanTensors.PathOf(request.Model);

    private string Key => $"{request.Assembly}/{request.Class}";

    /// <summary>The file in a class's folder that holds its part until it is written, so that a build that finds its artifacts in the cache finds that,
    /// too.</summary>
    public string PartName => $"{request.Class}.lock.json";

    /// <summary>Beside it, the larger tensors of its plans, where they have such.</summary>
    public string PartTensorsName => $"{request.Class}.lock.tensors";

    /// <summary>What identifies the item, for the profiles that were made.</summary>
    public LockedModel Describe(string? graph, string signatureHash, IReadOnlyList<LockedProfile> profiles) =>
        new(ToolInfo.Version, ModelHashes(), graph, signatureHash, new(request.Texts().ToDictionary(), StringComparer.Ordinal), DataHashes(), profiles);

    /// <summary>Keeps a part in the class's folder.</summary>
    public void WritePart(string folder, LockedModel part, PlanTensors tensors)
    {
        File.WriteAllBytes(System.IO.Path.Combine(folder, PartName), new LockFile(LockFile.CurrentFormat, new(StringComparer.Ordinal) { [Key] = part })
            .ToBytes());
        if (tensors.Count > 0)
            File.WriteAllBytes(System.IO.Path.Combine(folder, PartTensorsName), tensors.ToBytes());
    }

    /// <summary>Puts the part from the class's folder into the lock file, which changes only where the part does. The file of tensors has those that some part
    /// of the lock file refers to.</summary>
    /// <exception cref="CompressionException">MDLB2042: the file that is there cannot be read, or not be written. MDLB2043: its tensors cannot be
    /// read.</exception>
    public void Save(string folder, ArtifactCache cache, CancellationToken cancellation)
    {
        var part = LockFile.Read(System.IO.Path.Combine(folder, PartName)).Models[Key];
        // Other classes, and other projects, may write their parts at this moment.
        using var held = cache.TryLock($"lock-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(System.IO.Path.GetFullPath(Path))))}",
            cancellation);
        var file = LockFile.Read(Path);
        file.Models[Key] = part;
        var bytes = file.ToBytes();
        var tensors = new PlanTensors();
        using (var json = JsonDocument.Parse(bytes))
            foreach (var from in new[] { TensorsPath, System.IO.Path.Combine(folder, PartTensorsName) })
                tensors.TakeReferenced(json.RootElement, PlanTensors.Read(from));
        try
        {
            // The tensors come first: a lock file never refers to what is not there.
            if (tensors.Count > 0)
                WriteWhereChanged(TensorsPath, tensors.ToBytes());
            WriteWhereChanged(Path, bytes);
            if (tensors.Count == 0)
                File.Delete(TensorsPath);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CompressionException(CompilerCodes.LockFileUnreadable,
                $"'{Path}' cannot be written: {e.Message}. Put the model where the build may write, or leave ModelBuildLockFile out", null, e);
        }
    }

    private static void WriteWhereChanged(string path, byte[] bytes)
    {
        if (!File.Exists(path) || !File.ReadAllBytes(path).AsSpan().SequenceEqual(bytes))
            AtomicFile.Write(path, bytes);
    }

    /// <summary>The larger tensors of what is locked.</summary>
    /// <exception cref="CompressionException">MDLB2043: they cannot be read.</exception>
    public PlanTensors ReadTensors() => PlanTensors.Read(TensorsPath);

    /// <summary>What is locked for the class, compared with the item.</summary>
    /// <exception cref="CompressionException">MDLB2040: nothing is; MDLB2041: something differs; MDLB2042: the file cannot be read.</exception>
    public LockedModel Read(string signatureHash)
    {
        if (!LockFile.Read(Path).Models.TryGetValue(Key, out var locked))
            throw new CompressionException(CompilerCodes.NoLockFile,
                $"ModelBuildLockedMode is set, and {(File.Exists(Path) ? $"'{Path}' has nothing for {Key}" : $"there is no '{Path}'")}. Build once with "
                + $"ModelBuildLockFile=true and without ModelBuildLockedMode, and commit the file");
        if (!locked.Model.SequenceEqual(ModelHashes(), StringComparer.Ordinal))
            throw Differs("the model is another file than the one it was made of", null);
        if (locked.SignatureHash != signatureHash)
            throw Differs("the names or shapes of the class's inputs and outputs are others", "Shapes");
        var texts = request.Texts();
        foreach (var name in locked.Options.Keys.Concat(texts.Keys).Distinct(StringComparer.Ordinal))
            if (locked.Options.GetValueOrDefault(name) is var was && texts.GetValueOrDefault(name) is var now && was != now)
                throw Differs($"{name} is {Quoted(now)}, and was {Quoted(was)}", name);
        // Data need not be there; where it is, it is the same.
        foreach (var (name, hash) in DataHashes())
            if (locked.Data.GetValueOrDefault(name) != hash)
                throw Differs($"{name} is other data than it was made with", name);
        return locked;
    }

    private static string Quoted(string? text) => text is null ? "not set" : $"\"{text}\"";

    private CompressionException Differs(string what, string? metadata) =>
        new(CompilerCodes.LockFileDoesNotFit,
            $"'{System.IO.Path.GetFileName(Path)}' does not fit: {what}. Build once with ModelBuildLockFile=true and without ModelBuildLockedMode, and "
            + $"commit the new file", metadata);

    private IReadOnlyList<string> ModelHashes() => [FileHash.Of(request.Model), .. ExternalFiles.Of(request.Model).Select(FileHash.Of)];

    private SortedDictionary<string, string> DataHashes()
    {
        var hashes = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, files) in CacheKey.DataOf(request))
            if (files.Count > 0)
                hashes.Add(name, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', files)))));
        return hashes;
    }
}
