namespace ModelBuild.Compression.Backends;

/// <summary>The backends that there are.</summary>
public static class CompilerBackends
{
    /// <summary>All of them; where candidates are equally good the earlier one wins.</summary>
    public static IReadOnlyList<CompilerBackend> All { get; } = [new OnnxRuntimeCompilerBackend(), new ManagedCompilerBackend()];

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(b => b.Name)];

    /// <summary>The one that runs the original.</summary>
    public static CompilerBackend Reference { get; } = All.First(b => b.RunsOriginals);

    /// <summary>The backend of a name.</summary>
    /// <exception cref="KeyNotFoundException">There is no such backend.</exception>
    public static CompilerBackend Get(string name) => All.FirstOrDefault(b => b.Name == name)
        ?? throw new KeyNotFoundException($"there is no backend '{name}'");

    /// <summary>The backend whose artifacts are named like this; null where none is.</summary>
    public static CompilerBackend? OfFile(string path) => All.FirstOrDefault(b => path.EndsWith(b.Extension, StringComparison.OrdinalIgnoreCase));
}
