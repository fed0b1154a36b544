using Microsoft.Build.Framework;
using ModelBuild.Shared;

namespace ModelBuild.Tasks;

/// <summary>
/// Finds the managed artifacts that a natively compiled app never runs, because it was compiled for CPUs without what they need: they would be dead weight. Artifacts of ONNX
/// Runtime stay, for its kernels are chosen when the app runs.
/// </summary>
[MSBuildMultiThreadableTask]
public sealed class FindUnusableArtifacts : Microsoft.Build.Utilities.Task
{
    private static readonly string[] Avx512 = ["avx512", "avx512vnni"];
    private static readonly string[] Avx2 = ["avx2", "fma", "avxvnni"];

    /// <summary>The files that are published; manifests and artifacts among them lie side by side.</summary>
    public ITaskItem[] Files { get; set; } = [];

    /// <summary>What the app is compiled for, as the native compiler takes it; empty for its default.</summary>
    public string InstructionSet { get; set; } = "";

    /// <summary>Those of the files that are never run.</summary>
    [Output]
    public ITaskItem[] Unusable { get; private set; } = [];

    /// <inheritdoc/>
    public override bool Execute()
    {
        var unusable = new HashSet<string>(StringComparer.Ordinal);
        foreach (var manifest in Files.Where(file => file.ItemSpec.EndsWith(".json", StringComparison.Ordinal)))
            if (Artifacts(manifest.ItemSpec) is { } artifacts)
                unusable.UnionWith(artifacts.GroupBy(artifact => artifact.File, artifact => artifact.IsUnusable).Where(uses => uses.All(isUnusable => isUnusable))
                    .Select(uses => Path.Combine(Path.GetDirectoryName(manifest.ItemSpec)!, uses.Key)));
        Unusable = [.. Files.Where(file => unusable.Contains(file.ItemSpec))];
        return true;
    }

    // What a manifest lists; null where the file is none.
    private List<(string File, bool IsUnusable)>? Artifacts(string path)
    {
        try
        {
            return [.. JsonReader.ParseObject(File.ReadAllText(path)).Array("artifacts").OfType<JsonObject>()
                .Select(artifact => (artifact.String("file"), artifact.String("backend") == "managed" && artifact.Strings("requires").Any(Lacks)))];
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private bool Lacks(string feature)
    {
        var sets = InstructionSet.Split([',', ';'], StringSplitOptions.RemoveEmptyEntries).Select(set => set.Trim()).ToList();
        var hasAvx512 = sets.Any(set => set is "native" or "x86-64-v4" || set.StartsWith("avx512", StringComparison.Ordinal));
        return Avx512.Contains(feature) ? !hasAvx512 : Avx2.Contains(feature) && !hasAvx512 && !sets.Any(set => set is "x86-64-v3" or "avx2");
    }
}
