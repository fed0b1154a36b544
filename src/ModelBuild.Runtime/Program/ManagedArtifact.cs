namespace ModelBuild.Managed;

/// <summary>What a managed artifact says about itself: for tools that look into it without running it.</summary>
/// <param name="SignatureHash">The hash of the signature that it serves, lower-case hexadecimal.</param>
/// <param name="Program">Its program.</param>
public sealed record ManagedArtifact(string SignatureHash, ManagedProgram Program)
{
    /// <summary>Reads an artifact's header and program; weights are not read.</summary>
    /// <param name="bytes">The whole artifact.</param>
    /// <param name="origin">Where it came from, for messages.</param>
    /// <exception cref="ModelLoadException">MDLB3002: it is damaged; MDLB3003: it is of a newer format.</exception>
    public static ManagedArtifact Read(ReadOnlySpan<byte> bytes, string origin)
    {
        ArtifactHeader header = ArtifactHeader.Read(bytes[..Math.Min(bytes.Length, ArtifactHeader.Size)], bytes.Length, origin);
        return new ManagedArtifact(header.SignatureHash, ProgramReader.Read(bytes.Slice((int)header.ProgramOffset, (int)header.ProgramLength), header.WeightsLength, origin));
    }
}
