namespace ModelBuild.Shared;

/// <summary>The names of the built-in profiles: one list, and one message, for the tasks that check items and for the compiler.</summary>
internal static class ProfileNames
{
    /// <summary>The profiles that there are; where a CPU admits several, the better one stands first.</summary>
    public static readonly IReadOnlyList<string> BuiltIn =
        ["host", "x64-avx512vnni", "x64-avxvnni", "x64-avx512", "x64-avx2", "arm64-i8mm", "arm64", "wasm-simd", "portable"];

    /// <summary>Names kept for GPUs and NPUs: nothing here can compress for them yet.</summary>
    public static readonly IReadOnlyList<string> Later = ["cuda-fp16", "cuda-sparse24", "directml-fp16", "qnn-u8", "coreml"];

    /// <summary>Why a profile of this name cannot be used, with the code of the diagnostic; null where it can.</summary>
    /// <param name="name">The name.</param>
    /// <param name="own">The names of the profiles that the project defines.</param>
    public static (string Code, string Text)? Problem(string name, IEnumerable<string> own)
    {
        var known = BuiltIn.Concat(own).ToList();
        if (known.Contains(name))
            return null;
        if (Later.Contains(name))
            return (SharedCodes.ProfileOfLaterVersion,
                $"Profile \"{name}\" comes with a later version; this one compresses for CPUs. Profiles: {string.Join(", ", known)}.");
        return (SharedCodes.UnknownProfile, $"Profile \"{name}\" is not known.{Suggestion.Sentence(name, known)} Profiles: {string.Join(", ", known)}.");
    }
}
