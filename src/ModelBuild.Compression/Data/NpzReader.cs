using System.IO.Compression;

namespace ModelBuild.Compression.Data;

/// <summary>Reads the arrays of an <c>.npz</c> file: a zip archive of <c>.npy</c> files.</summary>
public static class NpzReader
{
    /// <summary>What one file may unpack to. A zip bomb is refused by this before it fills the disk.</summary>
    public const long MaximumBytes = 8L << 30;

    private const long MaximumRatio = 1100;

    /// <summary>Opens all arrays, by name without the ending <c>.npy</c>.</summary>
    /// <exception cref="CompressionException">MDLB1110: not readable; MDLB1111: it unpacks to more than <see cref="MaximumBytes"/>.</exception>
    public static Dictionary<string, NpyArray> Read(string path)
    {
        var arrays = new Dictionary<string, NpyArray>(StringComparer.Ordinal);
        try
        {
            using var zip = ZipFile.OpenRead(path);
            var total = 0L;
            foreach (var entry in zip.Entries)
            {
                if (!entry.FullName.EndsWith(".npy", StringComparison.Ordinal))
                    continue;
                // Deflate shrinks by at most 1032 to 1: an entry that promises more lies.
                if (entry.Length / MaximumRatio > entry.CompressedLength)
                    throw new CompressionException(Codes.ArchiveTooLarge,
                        $"'{path}/{entry.FullName}' states {entry.Length} bytes for {entry.CompressedLength} compressed ones, which no archive holds");
                total += entry.Length;
                if (total > MaximumBytes)
                    throw new CompressionException(Codes.ArchiveTooLarge,
                        $"'{path}' unpacks to more than {MaximumBytes >> 30} GB; split the data into several files");
                using var stream = entry.Open();
                var name = entry.FullName[..^4];
                if (!arrays.TryAdd(name, NpyReader.Open(stream, entry.Length, $"{path}/{entry.FullName}")))
                    throw new CompressionException(Codes.DataUnreadable, $"'{path}' holds two arrays named '{name}'");
            }
        }
        catch (InvalidDataException e)
        {
            throw new CompressionException(Codes.DataUnreadable, $"'{path}' is not a readable .npz file: {e.Message}", null, e);
        }
        if (arrays.Count == 0)
            throw new CompressionException(Codes.DataUnreadable, $"'{path}' holds no array");
        return arrays;
    }
}
