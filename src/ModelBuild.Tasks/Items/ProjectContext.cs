namespace ModelBuild.Tasks;

/// <summary>What the items of a project are read against.</summary>
/// <param name="ProjectFile">The full path of the project file.</param>
/// <param name="RootNamespace">RootNamespace; may be empty.</param>
/// <param name="RuntimeIdentifier">RuntimeIdentifier; may be empty.</param>
/// <param name="SdkRuntimeIdentifier">The RuntimeIdentifier of the SDK.</param>
internal sealed record ProjectContext(string ProjectFile, string RootNamespace, string RuntimeIdentifier, string SdkRuntimeIdentifier)
{
    /// <summary>Whether lock files are applied: data need not be there then.</summary>
    public bool LockedMode { get; init; }

    /// <summary>The folder of the project.</summary>
    public string Directory => Path.GetDirectoryName(ProjectFile)!;

    /// <summary>A path that is relative to the project, made full. Backslashes are separators on every system, as everywhere in MSBuild.</summary>
    public string FullPath(string path) => Path.GetFullPath(Path.Combine(Directory, Path.DirectorySeparatorChar == '/' ? path.Replace('\\', '/') : path));

    /// <summary>A full path relative to the project where it lies inside, with forward slashes.</summary>
    public string RelativePath(string fullPath)
    {
        var directory = Directory.TrimEnd('/', '\\') + Path.DirectorySeparatorChar;
        var inside = fullPath.StartsWith(directory, StringComparison.Ordinal);
        return (inside ? fullPath.Substring(directory.Length) : Path.GetFileName(fullPath)).Replace('\\', '/');
    }
}
