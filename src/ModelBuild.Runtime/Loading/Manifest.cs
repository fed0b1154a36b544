namespace ModelBuild.Loading;

/// <summary>What <c>{Class}.json</c> says: which file serves which profile.</summary>
internal sealed record Manifest(string Origin, string ClassName, string SignatureHash, IReadOnlyList<ManifestArtifact> Artifacts);

/// <summary>One artifact of a manifest.</summary>
/// <param name="Profile">The profile that it was compiled for.</param>
/// <param name="File">Its file name, without a folder.</param>
/// <param name="Backend">The backend that runs it.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Sha256">SHA-256 of its content.</param>
/// <param name="Technique">How it was compressed.</param>
/// <param name="Requires">The instruction sets that it needs.</param>
/// <param name="Unknown">A required feature that this version does not know, or null. No CPU is said to have it.</param>
/// <param name="Data">Name and size of the file with weights that lies beside an artifact of more than 2 GB, or null.</param>
internal sealed record ManifestArtifact(string Profile, string File, string Backend, long Bytes, string Sha256, string Technique, CpuFeatures Requires,
    string? Unknown, (string File, long Bytes)? Data = null);
