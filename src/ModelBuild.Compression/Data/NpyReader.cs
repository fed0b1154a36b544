using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Data;

/// <summary>
/// Reads NumPy's <c>.npy</c> format, versions 1 to 3: a magic number, a Python dictionary with type, order and shape, then the data.
/// </summary>
public static partial class NpyReader
{
    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>Larger arrays stay on disk.</summary>
    private const long MaximumInMemory = 16 << 20;

    /// <summary>Opens one array: reads it, or leaves it on disk where it is large.</summary>
    /// <param name="stream">The stream, at the array's first byte. A <see cref="FileStream"/> may become the array's own; any other is read to its end
    /// here.</param>
    /// <param name="length">How many bytes the stream holds from there, for checking before anything is allocated.</param>
    /// <param name="origin">Where the stream came from, for messages.</param>
    /// <exception cref="CompressionException">MDLB1110: not a readable array.</exception>
    public static NpyArray Open(Stream stream, long length, string origin)
    {
        CompressionException Bad(string why) => new(Codes.DataUnreadable, $"'{origin}' is not a readable .npy array: {why}");

        Span<byte> prefix = stackalloc byte[12];
        if (length < 10 || stream.ReadAtLeast(prefix[..8], 8, false) < 8 || !prefix[..6].SequenceEqual(Magic))
            throw Bad(length == 0 ? "it is empty" : "it does not start with NumPy's magic number");
        var version = prefix[6];
        if (version is < 1 or > 3)
            throw Bad($"format version {version}");
        var sizeBytes = version == 1 ? 2 : 4;
        if (stream.ReadAtLeast(prefix[..sizeBytes], sizeBytes, false) < sizeBytes)
            throw Bad("it is truncated");
        long headerLength = version == 1 ? BinaryPrimitives.ReadUInt16LittleEndian(prefix) : BinaryPrimitives.ReadUInt32LittleEndian(prefix);
        if (headerLength > 65536 || 8 + sizeBytes + headerLength > length)
            throw Bad("its header is larger than the file");
        var header = new byte[headerLength];
        if (stream.ReadAtLeast(header, header.Length, false) < header.Length)
            throw Bad("it is truncated");
        var text = Encoding.UTF8.GetString(header);
        var descr = Descr().Match(text);
        var order = Order().Match(text);
        var dims = Dims().Match(text);
        if (!descr.Success || !order.Success || !dims.Success)
            throw Bad("its header does not state type, order and shape");

        var shape = new List<long>();
        foreach (var part in dims.Groups[1].Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            shape.Add(long.TryParse(part.TrimEnd('L'), NumberStyles.None, CultureInfo.InvariantCulture, out var d) ? d : throw Bad($"dimension '{part}'"));
        var descriptor = descr.Groups[1].Value;
        long count;
        try
        {
            count = Tensor.Count(shape.ToArray());
        }
        catch (ArgumentException e)
        {
            throw Bad(e.Message);
        }
        var remaining = length - 8 - sizeBytes - headerLength;
        if (descriptor.Length > 2 && descriptor[1] == 'U')
            return NpyArray.Of(ReadStrings(stream, descriptor, shape, count, remaining, Bad));
        var type = NumPyTypes.OfDescriptor(descriptor)
            ?? throw Bad($"element type '{descriptor}' (supported: bool, integers, float16 to float64, unicode strings, little endian)");
        var size = ElementTypes.ByteSize(type, count);
        var rowMajor = order.Groups[1].Value != "True" || shape.Count < 2;
        var swapped = descriptor[0] == '>' && ElementTypes.BitsOf(type) > 8;
        if (size > remaining)
            throw Bad($"it declares {size} bytes of data and holds {remaining}");
        if (size > MaximumInMemory && rowMajor && !swapped)
        {
            var file = stream as FileStream ?? Unpack(stream, size, Bad);
            return NpyArray.InFile(type, [.. shape], file, stream is FileStream ? file.Position : 0);
        }
        if (size > int.MaxValue)
            throw Bad($"its {size} bytes are in {(rowMajor ? "big endian" : "column-major")} order, which is read up to 2 GB");
        var data = new byte[size];
        if (stream.ReadAtLeast(data, data.Length, false) < data.Length)
            throw Bad("it is truncated");
        if (swapped)
            ReverseElements(data, ElementTypes.BitsOf(type) / 8);
        return NpyArray.Of(new(type, [.. shape], rowMajor ? data : ToRowMajor(data, shape, ElementTypes.BitsOf(type) / 8)));
    }

    /// <summary>Copies what a stream gives into a temporary file that goes with its last use, even where the process is killed.</summary>
    private static FileStream Unpack(Stream stream, long size, Func<string, CompressionException> bad)
    {
        var path = Path.Combine(Path.GetTempPath(), $"modelbuild-{Guid.NewGuid():N}.npy");
        var file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Delete, 1 << 16, FileOptions.DeleteOnClose);
        if (!OperatingSystem.IsWindows())
            File.Delete(path);
        var buffer = new byte[1 << 20];
        for (var left = size; left > 0;)
        {
            var n = stream.Read(buffer, 0, (int)Math.Min(left, buffer.Length));
            if (n == 0)
            {
                file.Dispose();
                throw bad("it is truncated");
            }
            file.Write(buffer, 0, n);
            left -= n;
        }
        file.Flush();
        return file;
    }

    private static Tensor ReadStrings(Stream stream, string descriptor, List<long> shape, long count, long remaining, Func<string, CompressionException> bad)
    {
        if (!int.TryParse(descriptor.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out var width) || width > 65536 || descriptor[0] == '>')
            throw bad($"element type '{descriptor}'");
        if (count > int.MaxValue || count * width * 4 > remaining)
            throw bad("it is truncated");
        var strings = new string[count];
        var buffer = new byte[width * 4];
        for (var i = 0; i < strings.Length; i++)
        {
            stream.ReadExactly(buffer);
            strings[i] = Encoding.UTF32.GetString(buffer).TrimEnd('\0');
        }
        return new([.. shape], strings);
    }

    private static void ReverseElements(byte[] data, int size)
    {
        for (var i = 0; i < data.Length; i += size)
            data.AsSpan(i, size).Reverse();
    }

    private static byte[] ToRowMajor(byte[] data, List<long> shape, int size)
    {
        var result = new byte[data.Length];
        var index = new long[shape.Count];
        for (long target = 0; target < data.Length / size; target++)
        {
            long source = 0;
            for (var d = shape.Count - 1; d >= 0; d--)
                source = source * shape[d] + index[d];
            data.AsSpan((int)(source * size), size).CopyTo(result.AsSpan((int)(target * size)));
            for (var d = shape.Count - 1; d >= 0 && ++index[d] == shape[d]; d--)
                index[d] = 0;
        }
        return result;
    }

    [GeneratedRegex(@"'descr'\s*:\s*'([^']+)'")]
    private static partial Regex Descr();

    [GeneratedRegex(@"'fortran_order'\s*:\s*(True|False)")]
    private static partial Regex Order();

    [GeneratedRegex(@"'shape'\s*:\s*\(([^)]*)\)")]
    private static partial Regex Dims();
}
