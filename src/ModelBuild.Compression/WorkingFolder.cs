namespace ModelBuild.Compression;

/// <summary>
/// A folder for files that are of no use once this process has ended. A file beside it is locked while the process lives: where the process is killed, the
/// system releases the lock, and the next one sees that the folder may go. (A process number would not tell: numbers are used again, and two containers have
/// the same ones.)
/// </summary>
public sealed class WorkingFolder : IDisposable
{
    private const string LockSuffix = ".lock";
    private const string TemporaryPrefix = "modelbuild-work-";
    private static readonly Lazy<WorkingFolder> OfProcess = new(() =>
    {
        ClearTemporary();
        var folder = Create(System.IO.Path.GetTempPath(), TemporaryPrefix);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => folder.Dispose();
        return folder;
    });

    private readonly FileStream _lock;

    private WorkingFolder(string path, FileStream held) => (Path, _lock) = (path, held);

    /// <summary>The full path.</summary>
    public string Path { get; }

    /// <summary>Makes a folder.</summary>
    /// <param name="parent">Where; made if it is not there.</param>
    /// <param name="prefix">What its name starts with.</param>
    /// <exception cref="IOException">The parent cannot be written to.</exception>
    public static WorkingFolder Create(string parent, string prefix)
    {
        const int attempts = 20;
        Directory.CreateDirectory(parent);
        for (var attempt = 1; ; attempt++)
        {
            var path = System.IO.Path.Combine(System.IO.Path.GetFullPath(parent), prefix + Guid.NewGuid().ToString("n"));
            try
            {
                // The lock comes before the folder and goes after it: a folder without one is nobody's.
                var held = new FileStream(path + LockSuffix, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
                if (File.Exists(path + LockSuffix))
                {
                    Directory.CreateDirectory(path);
                    return new(path, held);
                }
                held.Dispose();
            }
            catch (IOException) when (attempt < attempts && Directory.Exists(parent))
            {
                // Another process took the file for that of a dead one, between its making and its locking.
            }
        }
    }

    /// <summary>A new folder below this process's own in the system's folder for temporary files.</summary>
    public static DirectoryInfo CreateTemporary() => Directory.CreateDirectory(System.IO.Path.Combine(OfProcess.Value.Path, Guid.NewGuid().ToString("n")));

    /// <summary>Deletes what dead processes left in the system's folder for temporary files.</summary>
    public static void ClearTemporary() => Clear(System.IO.Path.GetTempPath(), TemporaryPrefix + "*");

    /// <summary>Deletes the folders of dead processes.</summary>
    /// <param name="parent">The folder that they are in; it need not exist.</param>
    /// <param name="pattern">A pattern of names that nothing else there has.</param>
    public static void Clear(string parent, string pattern)
    {
        try
        {
            foreach (var file in Directory.EnumerateFiles(parent, pattern + LockSuffix))
                ClearWhereDead(file);
            foreach (var folder in Directory.EnumerateDirectories(parent, pattern))
                if (!File.Exists(folder + LockSuffix))
                    Delete(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // There is no such folder, or nothing may be deleted in it.
        }
    }

    private static void ClearWhereDead(string file)
    {
        try
        {
            using var taken = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
            Delete(file[..^LockSuffix.Length]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Its process lives, or is another user's.
        }
    }

    private static void Delete(string folder)
    {
        try
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Somebody looks at a file in it; it goes another time.
        }
    }

    /// <summary>Deletes the folder with all that is in it.</summary>
    public void Dispose()
    {
        Delete(Path);
        _lock.Dispose();
    }
}
