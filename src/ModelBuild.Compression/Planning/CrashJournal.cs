using ModelBuild.Shared;

namespace ModelBuild.Compression.Planning;

/// <summary>
/// What is being tried, in a file that outlives this process. A native library may end the process whatever is caught around it; the next process finds in the
/// journal what did not end, and strikes it.
/// </summary>
public sealed class CrashJournal
{
    private readonly string? _path;
    private readonly HashSet<string> _struck;

    private CrashJournal(string? path, HashSet<string> struck)
    {
        _path = path;
        _struck = struck;
    }

    /// <summary>A journal that is kept nowhere.</summary>
    public static CrashJournal None { get; } = new(null, []);

    /// <summary>Opens a journal; what an earlier process began and did not end is struck.</summary>
    /// <param name="path">The file; it need not exist yet.</param>
    public static CrashJournal Open(string path) => new(path, CrashJournalFile.Struck(File.Exists(path) ? File.ReadLines(path) : []));

    /// <summary>How many attempts ended a process.</summary>
    public int Struck => _struck.Count;

    /// <summary>Tries something.</summary>
    /// <param name="what">What is tried, on one line.</param>
    /// <param name="action">The attempt.</param>
    /// <exception cref="CompressionException">MDLB2022: it ended an earlier process.</exception>
    public T Attempt<T>(string what, Func<T> action)
    {
        if (_struck.Contains(what))
            throw new CompressionException(Codes.CandidateFailed, "the compiler's process ended while it was run");
        if (_path is null)
            return action();
        Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
        File.AppendAllText(_path, $"{CrashJournalFile.Begin}{what}\n");
        try
        {
            return action();
        }
        finally
        {
            File.AppendAllText(_path, $"{CrashJournalFile.End}{what}\n");
        }
    }
}
