using ModelBuild.Shared;

namespace ModelBuild.Tasks;

/// <summary>
/// The managed artifacts that a natively compiled app never runs, because it was compiled for CPUs without what they need: they would be dead weight. Artifacts
/// of ONNX Runtime stay, for its kernels are chosen when the app runs.
/// </summary>
internal static class UnusableArtifacts
{
    private static readonly string[] Avx512 = ["avx512", "avx512vnni"];
    private static readonly string[] Avx2 = ["avx2", "fma", "avxvnni"];

    /// <summary>The files of a manifest that no artifact which can run reads; none where the text is no manifest.</summary>
    /// <param name="manifest">The manifest's text.</param>
    /// <param name="instructionSet">What the app is compiled for, as the native compiler takes it; empty for its default.</param>
    public static IReadOnlyList<string> Of(string manifest, string instructionSet)
    {
        try
        {
            return [.. JsonReader.ParseObject(manifest).Array("artifacts").OfType<JsonObject>()
                .GroupBy(artifact => artifact.String("file"), artifact => artifact.String("backend") == "managed" && artifact.Strings("requires")
                    .Any(feature => Lacks(instructionSet, feature)))
                .Where(uses => uses.All(isUnusable => isUnusable)).Select(uses => uses.Key)];
        }
        catch (JsonException)
        {
            return [];
        }
    }

    private static bool Lacks(string instructionSet, string feature)
    {
        var sets = instructionSet.Split([',', ';'], StringSplitOptions.RemoveEmptyEntries).Select(set => set.Trim()).ToList();
        var hasAvx512 = sets.Any(set => set is "native" or "x86-64-v4" || set.StartsWith("avx512", StringComparison.Ordinal));
        return Avx512.Contains(feature) ? !hasAvx512 : Avx2.Contains(feature) && !hasAvx512 && !sets.Any(set => set is "x86-64-v3" or "avx2");
    }
}
