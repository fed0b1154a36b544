using Microsoft.Build.Framework;

namespace ModelBuild.Tasks;

/// <summary>Finds the artifacts among the published files that a natively compiled app never runs (<see cref="UnusableArtifacts"/>).</summary>
[MSBuildMultiThreadableTask]
public sealed class FindUnusableArtifacts : Microsoft.Build.Utilities.Task
{
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
            if (TextOf(manifest.ItemSpec) is { } text)
                unusable.UnionWith(UnusableArtifacts.Of(text, InstructionSet).Select(file => Path.Combine(Path.GetDirectoryName(manifest.ItemSpec)!, file)));
        Unusable = [.. Files.Where(file => unusable.Contains(file.ItemSpec))];
        return true;
    }

    private static string? TextOf(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
