using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

/// <summary>A reader of .npz files that knows nothing of ModelBuild: the format as NumPy documents it, for float32 and int64.</summary>
static class Npz
{
    public static T[] Read<T>(string path, string name) where T : unmanaged
    {
        using var zip = ZipFile.OpenRead(path);
        using var stream = new MemoryStream();
        using (var entry = zip.GetEntry(name + ".npy")!.Open())
            entry.CopyTo(stream);
        var bytes = stream.ToArray();
        // \x93NUMPY, version, header length in 2 bytes (version 1) or 4, header, data.
        var start = bytes[6] == 1 ? 10 + BitConverter.ToUInt16(bytes, 8) : 12 + BitConverter.ToInt32(bytes, 8);
        var header = Encoding.Latin1.GetString(bytes, 0, start);
        var descr = Regex.Match(header, "'descr': '(.*?)'").Groups[1].Value;
        if (header.Contains("'fortran_order': True") || descr != (typeof(T) == typeof(float) ? "<f4" : "<i8"))
            throw new InvalidDataException($"{path}: {name} is {descr}");
        return MemoryMarshal.Cast<byte, T>(bytes.AsSpan(start)).ToArray();
    }

    public static bool Has(string path, string name)
    {
        using var zip = ZipFile.OpenRead(path);
        return zip.GetEntry(name + ".npy") is not null;
    }
}
