using System.Security.Cryptography;

namespace ModelBuild.Compression;

/// <summary>The hash of a file's content.</summary>
public static class FileHash
{
    /// <summary>SHA-256, lower-case hexadecimal; the file is read piece by piece.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static string Of(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.SequentialScan);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
