namespace ModelBuild.Compression.Data;

/// <summary>What to do about a data file that cannot be read.</summary>
internal static class DamagedFile
{
    /// <summary>A sentence to end a message with: whether the file is a Git LFS pointer, or empty, and how to get it right.</summary>
    public static string Advice(string path)
    {
        Span<byte> start = stackalloc byte[48];
        using var stream = File.OpenRead(path);
        var n = stream.ReadAtLeast(start, start.Length, false);
        return start[..n].StartsWith("version https://git-lfs.github.com/spec/"u8) ? "It is a Git LFS pointer: run 'git lfs pull'."
            : n == 0 ? "It is empty: fetch or write it again."
            : "Fetch or write it again.";
    }
}
