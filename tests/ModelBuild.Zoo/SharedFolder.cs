namespace ModelBuild.Zoo;

/// <summary>The folder of real models with data (docs/zoo.md), for testing and measuring only: what <c>MODELBUILD_SHARED</c> names, <c>../shared</c> beside the
/// repository without it.</summary>
public static class SharedFolder
{
    /// <summary>The repository's root.</summary>
    public static string Repository { get; } = FindRepository();

    /// <summary>The folder; it need not be there.</summary>
    public static string Folder => Environment.GetEnvironmentVariable("MODELBUILD_SHARED") ?? Path.Combine(Path.GetDirectoryName(Repository)!, "shared");

    /// <summary>The folder of models, or null where it is not there.</summary>
    public static string? Zoo { get; } = Path.Combine(Folder, "zoo") is var zoo && Directory.Exists(zoo) ? zoo : null;

    private static string FindRepository()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
            if (File.Exists(Path.Combine(folder, "Directory.Packages.props")) && File.Exists(Path.Combine(folder, "ModelBuild.sln")))
                return folder;
        throw new DirectoryNotFoundException($"no repository above {AppContext.BaseDirectory}");
    }
}
