using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace ModelBuild.Fuzz;

/// <summary>Small valid pictures, written by the formats' specifications.</summary>
internal static class Pictures
{
    /// <summary>A PNG of 8-bit RGB.</summary>
    public static byte[] Png(int width, int height)
    {
        using var stream = new MemoryStream();
        stream.Write([0x89, .. "PNG\r\n"u8, 0x1A, 0x0A]);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (8, 2);
        Chunk("IHDR", header);
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, true))
            for (var y = 0; y < height; y++)
                zlib.Write([(byte)(y % 5), .. Enumerable.Range(0, 3 * width).Select(i => (byte)(i * y))]);
        Chunk("IDAT", packed.ToArray());
        Chunk("IEND", []);
        return stream.ToArray();

        void Chunk(string type, byte[] data)
        {
            byte[] body = [.. Encoding.ASCII.GetBytes(type), .. data];
            var number = new byte[4];
            BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
            stream.Write(number);
            stream.Write(body);
            BinaryPrimitives.WriteUInt32BigEndian(number, Crc(body));
            stream.Write(number);
        }
    }

    // CRC-32 of ISO 3309, as PNG wants it.
    private static uint Crc(byte[] bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
        }
        return ~crc;
    }

    /// <summary>A BMP of 24 bits per pixel.</summary>
    public static byte[] Bmp(int width, int height)
    {
        var row = (3 * width + 3) / 4 * 4;
        var file = new byte[54 + row * height];
        "BM"u8.CopyTo(file);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(2), file.Length);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(10), 54);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(14), 40);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(18), width);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(22), height);
        (file[26], file[28]) = (1, 24);
        for (var i = 54; i < file.Length; i++)
            file[i] = (byte)(i * 7);
        return file;
    }
}
