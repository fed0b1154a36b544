namespace ModelBuild.Tasks;

/// <summary>
/// What the last compilation left: the list of inputs that it served, and each artifact with the hash of its content. A file counts as intact while its stamp
/// is the one seen last; where that changed, its content is hashed once, and only a real change makes it damaged. A build that changes nothing hashes nothing.
/// </summary>
internal sealed class ArtifactRecord
{
    // Copies up to this size are hashed when they are first seen; larger ones are trusted then where size and time are those of the original.
    private const long CheapToHash = 1 << 20;

    private readonly string _path;
    private readonly string _inputs;
    private readonly Dictionary<string, (string Hash, string Stamp)> _files = new(StringComparer.Ordinal);
    private bool _changed;

    private ArtifactRecord(string path, string inputs) => (_path, _inputs) = (path, inputs);

    /// <summary>Reads the record; null where there is none that can be read.</summary>
    public static ArtifactRecord? Read(string path)
    {
        string[] lines;
        try
        {
            if (!File.Exists(path))
                return null;
            lines = File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
        if (lines.Length == 0)
            return null;
        var record = new ArtifactRecord(path, lines[0]);
        foreach (var line in lines.Skip(1))
        {
            var parts = line.Split([' '], 3);
            if (parts.Length != 3)
                return null;
            record._files[parts[2]] = (parts[0], parts[1]);
        }
        return record;
    }

    /// <summary>Writes the record of a compilation.</summary>
    /// <param name="path">Where to.</param>
    /// <param name="inputs">The list of inputs that was compiled.</param>
    /// <param name="artifacts">The full paths of all artifacts.</param>
    public static void Write(string path, string inputs, IEnumerable<string> artifacts)
    {
        var record = new ArtifactRecord(path, FileStamp.HashOfText(inputs));
        foreach (var artifact in artifacts)
            record._files[artifact] = (FileStamp.Hash(artifact), FileStamp.Of(artifact)!);
        record.Write();
    }

    /// <summary>Whether the artifacts were compiled from this list of inputs.</summary>
    public bool Serves(string inputs) => _inputs == FileStamp.HashOfText(inputs);

    /// <summary>Whether an artifact is there and has the content that the compiler gave it.</summary>
    public bool IsIntact(string artifact)
    {
        try
        {
            return _files.TryGetValue(artifact, out var known) && Has(artifact, known.Hash);
        }
        catch (IOException)
        {
            // Another build replaces it in this moment.
            return false;
        }
    }

    /// <summary>Whether a copy of an artifact has its content. One that somebody is writing counts as intact.</summary>
    public bool IsIntactCopy(string copy, string artifact)
    {
        if (!_files.TryGetValue(artifact, out var original))
            return true;
        try
        {
            var (info, source) = (new FileInfo(copy), new FileInfo(artifact));
            if (!_files.ContainsKey(copy) && info.Length > CheapToHash && info.Length == source.Length && info.LastWriteTimeUtc == source.LastWriteTimeUtc)
                Keep(copy, original.Hash, FileStamp.Of(copy)!);
            return Has(copy, original.Hash);
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <summary>Writes what was seen anew; others may have seen the same.</summary>
    public void Save()
    {
        if (_changed)
            Write();
    }

    private bool Has(string file, string hash)
    {
        if (FileStamp.Of(file) is not { } stamp)
            return false;
        if (_files.TryGetValue(file, out var known) && known == (hash, stamp))
            return true;
        if (FileStamp.Hash(file) != hash)
            return false;
        Keep(file, hash, stamp);
        return true;
    }

    private void Keep(string file, string hash, string stamp)
    {
        _files[file] = (hash, stamp);
        _changed = true;
    }

    private void Write() => Files.Write(_path,
        string.Concat(new[] { _inputs }
        .Concat(_files.OrderBy(file => file.Key, StringComparer.Ordinal).Select(file => $"{file.Value.Hash} {file.Value.Stamp} {file.Key}"))
        .Select(line => line + "\n")));
}
