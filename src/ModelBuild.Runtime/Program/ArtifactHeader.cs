using System.Buffers.Binary;
using System.Security.Cryptography;

namespace ModelBuild.Managed;

/// <summary>The first 128 bytes of a managed artifact: where program and weights are, and whom they belong to.</summary>
internal readonly record struct ArtifactHeader(long ProgramOffset, long ProgramLength, long WeightsOffset, long WeightsLength, string SignatureHash,
    string ProgramHash)
{
    public const int Size = 128;
    public const int Format = 1;

    private static ReadOnlySpan<byte> Magic => "MDLBUILD"u8;

    public static ArtifactHeader Read(ReadOnlySpan<byte> header, long fileLength, string origin)
    {
        if (header.Length < Size || !header.StartsWith(Magic)) throw Damaged(origin, "it is no managed artifact");
        var format = BinaryPrimitives.ReadInt32LittleEndian(header[8..]);
        if (format > Format)
            throw new ModelLoadException(RuntimeCodes.NewerFormat,
                $"'{origin}' has format {format}; this version of ModelBuild.Runtime reads up to {Format}. Update the package ModelBuild.Runtime to the "
                + $"version that built the model.");
        ArtifactHeader read = new(
            BinaryPrimitives.ReadInt64LittleEndian(header[16..]), BinaryPrimitives.ReadInt64LittleEndian(header[24..]),
            BinaryPrimitives.ReadInt64LittleEndian(header[32..]), BinaryPrimitives.ReadInt64LittleEndian(header[40..]),
            Convert.ToHexStringLower(header.Slice(48, 32)), Convert.ToHexStringLower(header.Slice(80, 32)));
        var within = format == Format && Within(read.ProgramOffset, read.ProgramLength, fileLength) && read.ProgramLength <= int.MaxValue
            && Within(read.WeightsOffset, read.WeightsLength, fileLength) && read.WeightsOffset % 64 == 0 && read.WeightsLength % 64 == 0;
        if (!within) throw Damaged(origin, "its sections lie outside the file");
        return read;
    }

    public void Write(Span<byte> header)
    {
        header[..Size].Clear();
        Magic.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], Format);
        BinaryPrimitives.WriteInt64LittleEndian(header[16..], ProgramOffset);
        BinaryPrimitives.WriteInt64LittleEndian(header[24..], ProgramLength);
        BinaryPrimitives.WriteInt64LittleEndian(header[32..], WeightsOffset);
        BinaryPrimitives.WriteInt64LittleEndian(header[40..], WeightsLength);
        Convert.FromHexString(SignatureHash).CopyTo(header[48..]);
        Convert.FromHexString(ProgramHash).CopyTo(header[80..]);
    }

    public static string HashOf(ReadOnlySpan<byte> program) => Convert.ToHexStringLower(SHA256.HashData(program));

    public static ModelLoadException Damaged(string origin, string detail) =>
        new(RuntimeCodes.ArtifactDamaged,
            $"the artifact '{origin}' is damaged: {detail}. Build the project again, and deploy the folder 'modelbuild' as a whole.");

    private static bool Within(long offset, long length, long fileLength) => offset >= Size && length >= 0 && offset <= fileLength
        && length <= fileLength - offset;
}
