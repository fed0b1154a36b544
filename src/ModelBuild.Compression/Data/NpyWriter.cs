using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Data;

/// <summary>Writes arrays in NumPy's <c>.npy</c> format (version 1) and collections of them as <c>.npz</c>.</summary>
public static class NpyWriter
{
    /// <summary>Writes one array.</summary>
    /// <exception cref="NotSupportedException">The element type has no NumPy counterpart.</exception>
    public static void Write(Stream stream, Tensor tensor)
    {
        var descriptor = tensor.ElementType switch
        {
            ElementType.Float => "<f4",
            ElementType.Double => "<f8",
            ElementType.Float16 => "<f2",
            ElementType.Int8 => "|i1",
            ElementType.UInt8 => "|u1",
            ElementType.Int16 => "<i2",
            ElementType.UInt16 => "<u2",
            ElementType.Int32 => "<i4",
            ElementType.UInt32 => "<u4",
            ElementType.Int64 => "<i8",
            ElementType.UInt64 => "<u8",
            ElementType.Bool => "|b1",
            ElementType.String => $"<U{Math.Max(1, Longest(tensor))}",
            _ => throw new NotSupportedException($"NumPy has no type for {tensor.ElementType}"),
        };
        var shape = string.Join(", ", tensor.Shape) + (tensor.Rank == 1 ? "," : "");
        var header = $"{{'descr': '{descriptor}', 'fortran_order': False, 'shape': ({shape}), }}";
        // Magic, version and length take 10 bytes; data starts at a multiple of 64.
        var padded = (10 + header.Length + 1 + 63) / 64 * 64 - 10;
        Span<byte> prefix = stackalloc byte[10];
        ((ReadOnlySpan<byte>)[0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0]).CopyTo(prefix);
        BinaryPrimitives.WriteUInt16LittleEndian(prefix[8..], (ushort)padded);
        stream.Write(prefix);
        stream.Write(Encoding.ASCII.GetBytes(header.PadRight(padded - 1) + "\n"));
        if (tensor.ElementType != ElementType.String)
        {
            stream.Write(tensor.Bytes.Span);
            return;
        }
        var width = Math.Max(1, Longest(tensor)) * 4;
        foreach (var s in tensor.Strings)
        {
            var cell = new byte[width];
            Encoding.UTF32.GetBytes(s, cell);
            stream.Write(cell);
        }
    }

    /// <summary>Writes named arrays as an <c>.npz</c> file, through a temporary file that is renamed at the end.</summary>
    public static void WriteNpz(string path, IEnumerable<KeyValuePair<string, Tensor>> arrays)
    {
        var temporary = path + ".tmp";
        using (var zip = new ZipArchive(File.Create(temporary), ZipArchiveMode.Create))
            foreach (var (name, tensor) in arrays)
            {
                using var entry = zip.CreateEntry(name + ".npy", CompressionLevel.Fastest).Open();
                Write(entry, tensor);
            }
        File.Move(temporary, path, true);
    }

    private static int Longest(Tensor strings)
    {
        var longest = 0;
        foreach (var s in strings.Strings)
            longest = Math.Max(longest, Encoding.UTF32.GetByteCount(s) / 4);
        return longest;
    }
}
