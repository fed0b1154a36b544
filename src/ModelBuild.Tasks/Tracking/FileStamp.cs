using System.Globalization;
using System.Security.Cryptography;

namespace ModelBuild.Tasks;

/// <summary>Tells whether a file is still what it was, without reading it: size, time of the last write, and the time of the last change of any kind.</summary>
internal static class FileStamp
{
    // Where the system has no change time, what is as small as this is told by its content.
    private const long Small = 1 << 20;

    /// <summary>A text without blanks that changes when the file does; null where there is no file.</summary>
    public static string? Of(string path)
    {
        var info = new FileInfo(path);
        if (!info.Exists)
            return null;
        var changed = ChangeTime.Of(path)?.ToString(CultureInfo.InvariantCulture) ?? (info.Length <= Small ? Hash(path) : "");
        return FormattableString.Invariant($"{info.Length}:{info.LastWriteTimeUtc.Ticks}:{changed}");
    }

    /// <summary>SHA-256 of a file's content, lower-case hexadecimal.</summary>
    public static string Hash(string path)
    {
        using var sha = SHA256.Create();
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 16, FileOptions.SequentialScan);
        return Hexadecimal(sha.ComputeHash(stream));
    }

    /// <summary>SHA-256 of a text, lower-case hexadecimal.</summary>
    public static string HashOfText(string text)
    {
        using var sha = SHA256.Create();
        return Hexadecimal(sha.ComputeHash(System.Text.Encoding.UTF8.GetBytes(text)));
    }

    private static string Hexadecimal(byte[] hash) => string.Concat(hash.Select(b => b.ToString("x2", CultureInfo.InvariantCulture)));
}
