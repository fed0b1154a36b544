namespace ModelBuild.Shared;

/// <summary>The journal of attempts: a line when one begins and one when it ends. What began and did not end took the process with it.</summary>
internal static class CrashJournalFile
{
    /// <summary>What a line starts with when something begins.</summary>
    public const string Begin = "begin ";

    /// <summary>What a line starts with when something ends, however it does.</summary>
    public const string End = "end ";

    /// <summary>What began and did not end, by the lines of the file.</summary>
    public static HashSet<string> Struck(IEnumerable<string> lines)
    {
        var struck = new HashSet<string>(StringComparer.Ordinal);
        foreach (var line in lines)
            if (line.StartsWith(Begin, StringComparison.Ordinal))
                struck.Add(line.Substring(Begin.Length));
            else if (line.StartsWith(End, StringComparison.Ordinal))
                struck.Remove(line.Substring(End.Length));
        return struck;
    }
}
