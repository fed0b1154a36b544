using System.Buffers.Binary;

namespace ModelBuild.Fuzz;

/// <summary>Files with some bytes changed.</summary>
internal static class Mutation
{
    private static readonly long[] Extremes = [0, 1, -1, 127, 128, 255, 256, 65535, int.MaxValue, int.MinValue, uint.MaxValue, long.MaxValue, long.MinValue,
        1L << 40];

    /// <summary>A copy of a file with one to five changes: bits and bytes, extreme numbers, runs copied over others, taken out, put in twice, or the end cut
    /// off.</summary>
    public static byte[] Of(byte[] file, Random random)
    {
        var bytes = (byte[])file.Clone();
        var number = new byte[8];
        for (var n = random.Next(1, 6); n > 0 && bytes.Length > 0; n--)
        {
            var at = Place(bytes, random);
            var length = Math.Min(random.Next(1, 24), bytes.Length - at);
            switch (random.Next(16))
            {
                case <= 2:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case <= 5:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case <= 8:
                    bytes[at] = (byte)(bytes[at] + random.Next(-2, 3));
                    break;
                case <= 11:
                    var from = random.Next(bytes.Length - length + 1);
                    bytes.AsSpan(from, length).CopyTo(bytes.AsSpan(at, length));
                    break;
                case 12:
                    BinaryPrimitives.WriteInt64LittleEndian(number, Extremes[random.Next(Extremes.Length)]);
                    var size = Math.Min(1 << random.Next(4), bytes.Length - at);
                    number.AsSpan(0, size).CopyTo(bytes.AsSpan(at));
                    break;
                case 13:
                    bytes = [.. bytes[..at], .. bytes[(at + length)..]];
                    break;
                case 14:
                    bytes = [.. bytes[..(at + length)], .. bytes[at..]];
                    break;
                default:
                    bytes = bytes[..at];
                    break;
            }
        }
        return bytes;
    }

    // Among zeros (weights, padding) a change is mostly wasted.
    private static int Place(byte[] bytes, Random random)
    {
        var at = random.Next(bytes.Length);
        for (var tries = 0; tries < 50 && bytes.AsSpan(Math.Max(0, at - 8)..Math.Min(bytes.Length, at + 8)).IndexOfAnyExcept((byte)0) < 0; tries++)
            at = random.Next(bytes.Length);
        return at;
    }
}
