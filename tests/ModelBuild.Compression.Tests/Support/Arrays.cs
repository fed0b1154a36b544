using System.IO.Compression;
using System.Text;
using ModelBuild.Compression.Data;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Support;

internal static class Arrays
{
    /// <summary>The bytes of a .npy file with a header of one's own.</summary>
    public static byte[] Npy(string header, byte[] data, byte version = 1)
    {
        var text = Encoding.ASCII.GetBytes(header + "\n");
        var length = version == 1 ? BitConverter.GetBytes((ushort)text.Length) : BitConverter.GetBytes((uint)text.Length);
        return [0x93, .. "NUMPY"u8, version, 0, .. length, .. text, .. data];
    }

    public static Tensor ReadNpy(byte[] bytes) => NpyReader.Open(new MemoryStream(bytes), bytes.Length, "test.npy").Whole;

    /// <summary>An interface with float inputs of the given shapes; -1 is a named dimension.</summary>
    public static ModelInterface Interface(params (string Name, long[] Shape)[] inputs) => new(
        [.. inputs.Select(i => new ModelPort(i.Name, i.Name, ElementType.Float, [.. i.Shape.Select(d => d < 0 ? (long?)null : d)]))],
        [new ModelPort("out", "Out", ElementType.Float, [null, 10])]);

    /// <summary>0, 1, 2, ...</summary>
    public static Tensor Range(params long[] shape) => Tensor.Of(Enumerable.Range(0, (int)Tensor.Count(shape)).Select(i => (float)i).ToArray(), shape);

    /// <summary>A bitmap of 24 bits, as the BMP format lays it out: rows from bottom to top, padded to four bytes.</summary>
    public static byte[] Bitmap(int width, int height, Func<int, int, (byte Red, byte Green, byte Blue)> pixel)
    {
        var stride = (width * 3 + 3) / 4 * 4;
        var bytes = new byte[54 + stride * height];
        "BM"u8.CopyTo(bytes);
        foreach (var (offset, value) in new[] { (2, bytes.Length), (10, 54), (14, 40), (18, width), (22, height), (26, 1 | 24 << 16), (34, stride * height) })
            BitConverter.GetBytes(value).CopyTo(bytes, offset);
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            {
                var (red, green, blue) = pixel(x, y);
                ((byte[])[blue, green, red]).CopyTo(bytes, 54 + (height - 1 - y) * stride + x * 3);
            }
        return bytes;
    }

    public static void Zip(string path, params (string Name, byte[] Content)[] entries)
    {
        using var zip = new ZipArchive(File.Create(path), ZipArchiveMode.Create);
        foreach (var (name, content) in entries)
        {
            using var stream = zip.CreateEntry(name).Open();
            stream.Write(content);
        }
    }
}
