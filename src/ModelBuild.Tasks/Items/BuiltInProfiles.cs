namespace ModelBuild.Tasks;

/// <summary>The names of the profiles that ship with the compiler, and which of them a project gets that names none.</summary>
internal static class BuiltInProfiles
{
    /// <summary>All names; where a CPU admits several, the better one stands first.</summary>
    public static readonly IReadOnlyList<string> Names =
    [
        "host", "cuda-sparse24", "cuda-fp16", "directml-fp16", "qnn-u8", "coreml",
        "x64-avx512vnni", "x64-avxvnni", "x64-avx512", "x64-avx2", "arm64-i8mm", "arm64", "wasm-simd", "portable",
    ];

    /// <summary>The profiles of a project that names none, best first.</summary>
    /// <param name="runtimeIdentifier">The project's RuntimeIdentifier; may be empty.</param>
    /// <param name="sdkRuntimeIdentifier">The one of the SDK, for projects without.</param>
    public static IEnumerable<string> DefaultsFor(string runtimeIdentifier, string sdkRuntimeIdentifier)
    {
        var portable = runtimeIdentifier.Length == 0;
        var parts = (portable ? sdkRuntimeIdentifier : runtimeIdentifier).Split('-');
        string[] profiles = parts[0] == "browser" || parts[0] == "wasi"
            ? ["wasm-simd"]
            : parts[parts.Length - 1] switch
            {
                "x64" => ["x64-avx512vnni", "x64-avxvnni", "x64-avx2"],
                "arm64" => ["arm64"],
                _ => [],
            };
        return portable || profiles.Length == 0 ? profiles.Append("portable") : profiles;
    }

    /// <summary>Sorts profiles best first; a user's own stands right before the built-in one that it is based on.</summary>
    public static IEnumerable<string> BestFirst(IEnumerable<string> profiles, IReadOnlyDictionary<string, string> basedOn)
    {
        return profiles.OrderBy(Rank);

        double Rank(string profile)
        {
            var steps = 0;
            while (basedOn.TryGetValue(profile, out var parent) && steps++ < basedOn.Count)
                profile = parent;
            return ((IList<string>)Names).IndexOf(profile) - (steps > 0 ? 0.5 : 0);
        }
    }
}
