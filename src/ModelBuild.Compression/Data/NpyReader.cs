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

    /// <summary>Reads one array.</summary>
    /// <param name="stream">The stream, at the array's first byte.</param>
    /// <param name="length">How many bytes the stream holds from there, for checking before anything is allocated.</param>
    /// <param name="origin">Where the stream came from, for messages.</param>
    /// <exception cref="CompressionException">MDLB1110: not a readable array.</exception>
    public static Tensor Read(Stream stream, long length, string origin)
    {
        CompressionException Bad(string why) => new("MDLB1110", $"'{origin}' is not a readable .npy array: {why}");

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
            return ReadStrings(stream, descriptor, shape, count, remaining, Bad);
        var type = TypeOf(descriptor) ?? throw Bad($"element type '{descriptor}' (supported: bool, integers, float16 to float64, unicode strings, little endian)");
        var size = ElementTypes.ByteSize(type, count);
        if (size > remaining || size > int.MaxValue)
            throw Bad($"it declares {size} bytes of data and holds {remaining}");
        var data = new byte[size];
        if (stream.ReadAtLeast(data, data.Length, false) < data.Length)
            throw Bad("it is truncated");
        if (descriptor[0] == '>' && ElementTypes.BitsOf(type) > 8)
            ReverseElements(data, ElementTypes.BitsOf(type) / 8);
        if (order.Groups[1].Value == "True" && shape.Count > 1)
            data = ToRowMajor(data, shape, ElementTypes.BitsOf(type) / 8);
        return new(type, [.. shape], data);
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

    private static ElementType? TypeOf(string descriptor) => descriptor.TrimStart('<', '|', '>', '=') switch
    {
        "f4" => ElementType.Float,
        "f8" => ElementType.Double,
        "f2" => ElementType.Float16,
        "i1" => ElementType.Int8,
        "u1" => ElementType.UInt8,
        "i2" => ElementType.Int16,
        "u2" => ElementType.UInt16,
        "i4" => ElementType.Int32,
        "u4" => ElementType.UInt32,
        "i8" => ElementType.Int64,
        "u8" => ElementType.UInt64,
        "b1" or "?" => ElementType.Bool,
        _ => null,
    };

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
