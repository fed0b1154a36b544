using ModelBuild.Shared;

namespace ModelBuild.Tasks;

/// <summary>Which profiles a project gets that names none, their order, and what they mean to the native compiler.</summary>
internal static class ProfileDefaults
{
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
            var root = Root(profile, basedOn);
            return ((IList<string>)ProfileNames.BuiltIn).IndexOf(root) - (root != profile ? 0.5 : 0);
        }
    }

    /// <summary>
    /// The instruction set that all of an app's profiles have, as the native compiler names it (<c>x86-64-v3</c> is AVX2 and FMA, <c>x86-64-v4</c> AVX-512), or
    /// nothing where it is no more than the native compiler takes by itself.
    /// </summary>
    public static string NativeInstructionSet(IEnumerable<string> profiles, IReadOnlyDictionary<string, string> basedOn)
    {
        var roots = profiles.Select(profile => Root(profile, basedOn)).Distinct(StringComparer.Ordinal).ToList();
        if (roots.Count == 0 || !roots.All(root => root.StartsWith("x64-", StringComparison.Ordinal)))
            return "";
        return roots.All(root => root.StartsWith("x64-avx512", StringComparison.Ordinal)) ? "x86-64-v4" : "x86-64-v3";
    }

    private static string Root(string profile, IReadOnlyDictionary<string, string> basedOn)
    {
        while (basedOn.TryGetValue(profile, out var parent))
            profile = parent;
        return profile;
    }
}
