using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Data;

/// <summary>Writes arrays in NumPy's <c>.npy</c> format (version 1) and collections of them as <c>.npz</c>.</summary>
public static class NpyWriter
{
    /// <summary>Writes one array.</summary>
    /// <exception cref="CompressionException">MDLB1122: NumPy has no such element type.</exception>
    public static void Write(Stream stream, Tensor tensor)
    {
        if (tensor.ElementType != ElementType.String)
        {
            WriteHeader(stream, tensor.ElementType, tensor.Shape.AsSpan());
            stream.Write(tensor.Bytes.Span);
            return;
        }
        var longest = Math.Max(1, Longest(tensor));
        WriteHeader(stream, tensor.ElementType, tensor.Shape.AsSpan(), longest);
        foreach (var s in tensor.Strings)
        {
            var cell = new byte[longest * 4];
            Encoding.UTF32.GetBytes(s, cell);
            stream.Write(cell);
        }
    }

    /// <summary>Writes what stands before the elements of an array, which then follow row by row, little endian.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="type">The type of the elements.</param>
    /// <param name="dimensions">The shape.</param>
    /// <param name="longest">For strings: the characters of the longest one, at least 1. Each takes so many of 4 bytes.</param>
    /// <exception cref="CompressionException">MDLB1122: NumPy has no such element type.</exception>
    public static void WriteHeader(Stream stream, ElementType type, ReadOnlySpan<long> dimensions, int longest = 1)
    {
        var descriptor = type == ElementType.String ? $"<U{longest}"
            : NumPyTypes.DescriptorOf(type) ?? throw new CompressionException(Codes.TypeCannotBePassed, $"NumPy has no type for {type}");
        var shape = string.Join(", ", dimensions.ToArray()) + (dimensions.Length == 1 ? "," : "");
        var header = $"{{'descr': '{descriptor}', 'fortran_order': False, 'shape': ({shape}), }}";
        // Magic, version and length take 10 bytes; data starts at a multiple of 64.
        var padded = (10 + header.Length + 1 + 63) / 64 * 64 - 10;
        Span<byte> prefix = stackalloc byte[10];
        ((ReadOnlySpan<byte>)[0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0]).CopyTo(prefix);
        BinaryPrimitives.WriteUInt16LittleEndian(prefix[8..], (ushort)padded);
        stream.Write(prefix);
        stream.Write(Encoding.ASCII.GetBytes(header.PadRight(padded - 1) + "\n"));
    }

    /// <summary>Writes named arrays as an <c>.npz</c> file.</summary>
    public static void WriteNpz(string path, IEnumerable<KeyValuePair<string, Tensor>> arrays) =>
        WriteArchive(path, arrays.Select(a => KeyValuePair.Create<string, Action<Stream>>(a.Key, stream => Write(stream, a.Value))));

    /// <summary>Writes an <c>.npz</c> file from writers of named arrays, through a temporary file that is renamed at the end.</summary>
    public static void WriteArchive(string path, IEnumerable<KeyValuePair<string, Action<Stream>>> arrays)
    {
        var full = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        var temporary = $"{full}.{Guid.NewGuid():n}.tmp";
        try
        {
            using (var zip = new ZipArchive(File.Create(temporary), ZipArchiveMode.Create))
                foreach (var (name, write) in arrays)
                {
                    using var entry = zip.CreateEntry(name + ".npy", CompressionLevel.Fastest).Open();
                    write(entry);
                }
            File.Move(temporary, full, true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static int Longest(Tensor strings)
    {
        var longest = 0;
        foreach (var s in strings.Strings)
            longest = Math.Max(longest, Encoding.UTF32.GetByteCount(s) / 4);
        return longest;
    }
}
