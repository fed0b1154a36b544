using System.Security.Cryptography;
using System.Text.Json;
using ModelBuild.Compression;

namespace ModelBuild.Compiler.Build;

/// <summary>What a cache entry holds, with the hash of every file.</summary>
internal sealed record CacheEntry(IReadOnlyDictionary<string, string> Files, string Summary, IReadOnlyList<Reply> Diagnostics);

/// <summary>
/// Artifacts by the hash of everything that went into them. Shared by target frameworks, configurations, branches and processes: entries are written to a
/// temporary folder and renamed, verified by hash when they are read, and the least recently used go first when the cache outgrows its limit.
/// </summary>
internal sealed class ArtifactCache(string root, long limit)
{
    private const string EntryFile = "entry.json";

    private string WorkingFolders => Path.Combine(root, "tmp");

    private string FolderOf(string key) => Path.Combine(root, key[..2], key);

    /// <summary>
    /// Holds other processes off one key while it is computed. Released by disposing. Null where the cache takes no files (a folder that only others may write
    /// to, a full disk): then two processes may compute the same, which costs time and nothing else.
    /// </summary>
    public IDisposable? TryLock(string key, CancellationToken cancellation)
    {
        // A file that is being deleted, or a folder that is being made, is in the way for a moment.
        const int attempts = 20;
        var path = Path.Combine(root, "locks", key);
        for (var failures = 0; failures < attempts;)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // A file that is there and may be opened is held by another process: that one will end.
                if (e is UnauthorizedAccessException || !File.Exists(path))
                    failures++;
                Thread.Sleep(50);
            }
        }
        return null;
    }

    /// <summary>Copies an entry's files into a folder; null where there is no entry, or a damaged one (which is thrown away).</summary>
    /// <exception cref="IOException">The folder cannot be written to.</exception>
    public CacheEntry? TryTake(string key, string folder)
    {
        var source = FolderOf(key);
        var entryFile = Path.Combine(source, EntryFile);
        if (!File.Exists(entryFile))
            return null;
        // Open from the check to the copy, so that what was checked is what is copied, even if another process throws the entry away.
        var files = new Dictionary<string, FileStream>(StringComparer.Ordinal);
        try
        {
            if (Open(source, files) is not { } entry)
                return null;
            foreach (var (name, file) in files)
            {
                using var copy = File.Create(Path.Combine(folder, name));
                file.Position = 0;
                file.CopyTo(copy);
            }
            Touch(entryFile);
            return entry;
        }
        finally
        {
            foreach (var file in files.Values)
                file.Dispose();
        }
    }

    /// <summary>Opens and checks the files of an entry; null where it is damaged.</summary>
    private static CacheEntry? Open(string source, Dictionary<string, FileStream> files)
    {
        try
        {
            var entry = JsonSerializer.Deserialize(File.ReadAllText(Path.Combine(source, EntryFile)), BuildJson.Default.CacheEntry);
            foreach (var (name, hash) in entry?.Files ?? throw new InvalidDataException("the entry is null"))
            {
                // Whoever can write to a shared cache must not write anywhere else by it.
                if (name != Path.GetFileName(name))
                    throw new InvalidDataException($"'{name}' is no file name");
                var file = new FileStream(Path.Combine(source, name), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1,
                    FileOptions.SequentialScan);
                files.Add(name, file);
                if (Convert.ToHexStringLower(SHA256.HashData(file)) != hash)
                    throw new InvalidDataException($"'{name}' changed");
            }
            return entry;
        }
        catch (Exception e) when (e is IOException or JsonException or InvalidDataException or UnauthorizedAccessException)
        {
            TryDelete(source);
            return null;
        }
    }

    private static void Touch(string entryFile)
    {
        try
        {
            File.SetLastWriteTimeUtc(entryFile, DateTime.UtcNow);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A cache that only others write to keeps its own account of what is used.
        }
    }

    /// <summary>Adds the files of a folder. A failure to write costs the next build time, nothing else.</summary>
    public void TryAdd(string key, string folder, string summary, IReadOnlyList<Reply> diagnostics)
    {
        var target = FolderOf(key);
        try
        {
            using var working = WorkingFolder.Create(WorkingFolders, "");
            var temporary = Directory.CreateDirectory(Path.Combine(working.Path, "entry")).FullName;
            var hashes = new SortedDictionary<string, string>(StringComparer.Ordinal);
            foreach (var file in Directory.EnumerateFiles(folder))
            {
                var name = Path.GetFileName(file);
                hashes.Add(name, FileHash.Of(file));
                File.Copy(file, Path.Combine(temporary, name));
            }
            File.WriteAllText(Path.Combine(temporary, EntryFile),
                JsonSerializer.Serialize(new CacheEntry(hashes, summary, diagnostics), BuildJson.Default.CacheEntry));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            if (Directory.Exists(target))
                Directory.Delete(target, true);
            Directory.Move(temporary, target);
            Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The next build computes it again.
        }
    }

    /// <summary>Deletes what processes that were killed left half written.</summary>
    public void ClearWorkingFolders() => WorkingFolder.Clear(WorkingFolders, "*");

    private void Trim()
    {
        // Nothing but entries of this cache is ever deleted, even if the user put it into a folder with other things in it.
        var entries = Directory.EnumerateDirectories(root, "??").SelectMany(Directory.EnumerateDirectories)
            .Where(folder => IsKey(Path.GetFileName(folder)) && File.Exists(Path.Combine(folder, EntryFile)))
            .Select(folder => (Folder: folder, Used: File.GetLastWriteTimeUtc(Path.Combine(folder, EntryFile))))
            .OrderByDescending(e => e.Used)
            .Select(e => (e.Folder, Bytes: new DirectoryInfo(e.Folder).EnumerateFiles().Sum(f => f.Length)))
            .ToList();
        long total = 0;
        foreach (var (folder, bytes) in entries)
        {
            total += bytes;
            if (total > limit && folder != entries[0].Folder)
                TryDelete(folder);
        }
    }

    private static bool IsKey(string name) => name.Length == 2 * SHA256.HashSizeInBytes && name.All(char.IsAsciiHexDigitLower);

    private static void TryDelete(string folder)
    {
        try
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another process holds it; it will be trimmed another time.
        }
    }
}
