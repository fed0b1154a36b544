using System.IO.Compression;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Data;

/// <summary>Reads the arrays of an <c>.npz</c> file: a zip archive of <c>.npy</c> files.</summary>
public static class NpzReader
{
    /// <summary>What one file may unpack to. A zip bomb is refused by this before it fills the memory.</summary>
    public const long MaximumBytes = 8L << 30;

    /// <summary>Reads all arrays, by name without the ending <c>.npy</c>.</summary>
    /// <exception cref="CompressionException">MDLB1110: not readable; MDLB1111: it unpacks to more than <see cref="MaximumBytes"/>.</exception>
    public static Dictionary<string, Tensor> Read(string path)
    {
        var arrays = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        try
        {
            using var zip = ZipFile.OpenRead(path);
            var total = 0L;
            foreach (var entry in zip.Entries)
            {
                if (!entry.FullName.EndsWith(".npy", StringComparison.Ordinal))
                    continue;
                total += entry.Length;
                if (total > MaximumBytes)
                    throw new CompressionException("MDLB1111", $"'{path}' unpacks to more than {MaximumBytes >> 30} GB; split the data into several files");
                using var stream = entry.Open();
                var name = entry.FullName[..^4];
                if (!arrays.TryAdd(name, NpyReader.Read(stream, entry.Length, $"{path}/{entry.FullName}")))
                    throw new CompressionException("MDLB1110", $"'{path}' holds two arrays named '{name}'");
            }
        }
        catch (InvalidDataException e)
        {
            throw new CompressionException("MDLB1110", $"'{path}' is not a readable .npz file: {e.Message}{LfsHint(path)}", null, e);
        }
        if (arrays.Count == 0)
            throw new CompressionException("MDLB1110", $"'{path}' holds no array");
        return arrays;
    }

    /// <summary>A sentence to add to a message where a file is a Git LFS pointer in place of the data; else empty.</summary>
    public static string LfsHint(string path)
    {
        Span<byte> start = stackalloc byte[48];
        using var stream = File.OpenRead(path);
        var n = stream.ReadAtLeast(start, start.Length, false);
        return start[..n].StartsWith("version https://git-lfs.github.com/spec/"u8) ? ". It is a Git LFS pointer: run 'git lfs pull'" : "";
    }
}
