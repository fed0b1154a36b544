using System.Buffers.Binary;
using System.Security.Cryptography;

namespace ModelBuild.Managed;

/// <summary>A part of a managed artifact.</summary>
/// <param name="Offset">Where it starts in the file, in bytes; a multiple of 64.</param>
/// <param name="Length">Its length in bytes.</param>
internal readonly record struct ArtifactSection(long Offset, long Length);

/// <summary>What a managed artifact begins with: whom it belongs to, and where its sections are. Sections have tags; those that a reader does not know it
/// passes over. Layout: <c>docs/formats.md</c>.</summary>
internal sealed record ArtifactHeader(ArtifactSection Program, ArtifactSection Weights, string SignatureHash, string ProgramHash)
{
    /// <summary>Bytes before the table of sections.</summary>
    public const int FixedSize = 128;
    /// <summary>The most bytes that a header takes with its table.</summary>
    public const int MostSize = FixedSize + MostSections * SectionSize;
    public const int Format = 2;
    private const int MostSections = 64, SectionSize = 24;

    private static ReadOnlySpan<byte> Magic => "MDLBUILD"u8;

    private static ReadOnlySpan<byte> ProgramTag => "program\0"u8;

    private static ReadOnlySpan<byte> WeightsTag => "weights\0"u8;

    /// <summary>The header of an artifact to write.</summary>
    public static ArtifactHeader Of(ReadOnlySpan<byte> program, long weightsLength, string signatureHash)
    {
        ArtifactSection section = new(Aligned(FixedSize + 2 * SectionSize), program.Length);
        return new ArtifactHeader(section, new ArtifactSection(Aligned(section.Offset + section.Length), weightsLength), signatureHash, HashOf(program));
    }

    /// <summary>Reads a header from the first bytes of a file, up to <see cref="MostSize"/> of them.</summary>
    public static ArtifactHeader Read(ReadOnlySpan<byte> header, long fileLength, string origin)
    {
        if (header.Length < FixedSize || !header.StartsWith(Magic)) throw Damaged(origin, "it is no managed artifact");
        var format = BinaryPrimitives.ReadInt32LittleEndian(header[8..]);
        if (format > Format)
            throw new ModelLoadException(RuntimeCodes.OtherFormat,
                $"'{origin}' has format {format}; this version of ModelBuild.Runtime reads format {Format}. Update the package ModelBuild.Runtime to the "
                + $"version that built the model.");
        if (format is > 0 and < Format)
            throw new ModelLoadException(RuntimeCodes.OtherFormat,
                $"'{origin}' has format {format}; this version of ModelBuild.Runtime reads format {Format}. Build the project again with the version of "
                + $"ModelBuild that the app references.");
        var count = BinaryPrimitives.ReadInt32LittleEndian(header[12..]);
        if (format != Format || count is < 0 or > MostSections || header.Length < FixedSize + count * SectionSize)
            throw Damaged(origin, "it has no table of sections");
        ArtifactSection? program = null, weights = null;
        for (var i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> entry = header.Slice(FixedSize + i * SectionSize, SectionSize);
            ArtifactSection section = new(BinaryPrimitives.ReadInt64LittleEndian(entry[8..]), BinaryPrimitives.ReadInt64LittleEndian(entry[16..]));
            var within = section is { Offset: >= FixedSize, Length: >= 0 } && section.Offset % 64 == 0 && section.Offset <= fileLength
                && section.Length <= fileLength - section.Offset;
            if (!within) throw Damaged(origin, "its sections lie outside the file");
            if (entry.StartsWith(ProgramTag)) program = section;
            else if (entry.StartsWith(WeightsTag)) weights = section;
        }
        if (program is not { Length: <= int.MaxValue } || weights is not { } w || w.Length % 64 != 0) throw Damaged(origin, "a section is missing");
        return new ArtifactHeader(program.Value, w, Convert.ToHexStringLower(header.Slice(16, 32)), Convert.ToHexStringLower(header.Slice(48, 32)));
    }

    /// <summary>The bytes of the header with its table.</summary>
    public byte[] Write()
    {
        var header = new byte[FixedSize + 2 * SectionSize];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(8), Format);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(12), 2);
        Convert.FromHexString(SignatureHash).CopyTo(header, 16);
        Convert.FromHexString(ProgramHash).CopyTo(header, 48);
        Entry(header.AsSpan(FixedSize), ProgramTag, Program);
        Entry(header.AsSpan(FixedSize + SectionSize), WeightsTag, Weights);
        return header;

        static void Entry(Span<byte> entry, ReadOnlySpan<byte> tag, ArtifactSection section)
        {
            tag.CopyTo(entry);
            BinaryPrimitives.WriteInt64LittleEndian(entry[8..], section.Offset);
            BinaryPrimitives.WriteInt64LittleEndian(entry[16..], section.Length);
        }
    }

    public static string HashOf(ReadOnlySpan<byte> program) => Convert.ToHexStringLower(SHA256.HashData(program));

    public static ModelLoadException Damaged(string origin, string detail) =>
        new(RuntimeCodes.ArtifactDamaged,
            $"the artifact '{origin}' is damaged: {detail}. Build the project again, and deploy the folder 'modelbuild' as a whole.");

    private static long Aligned(long offset) => (offset + 63) / 64 * 64;
}
