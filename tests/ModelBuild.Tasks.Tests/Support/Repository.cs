namespace ModelBuild.Tasks.Tests.Support;

/// <summary>Where the repository and the shared folder beside it are.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>The compiler that only speaks the protocol, as built with this test assembly.</summary>
    public static string FakeCompiler { get; } = Path.Combine(Root, "tests", "FakeCompiler", "bin", new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name,
        "net10.0", "modelbuild.dll");

    /// <summary>A file of the shared folder; skips the test where there is none.</summary>
    public static string Shared(params string[] path)
    {
        var folder = Environment.GetEnvironmentVariable("MODELBUILD_SHARED") ?? Path.Combine(Root, "..", "shared");
        Skip.IfNot(Directory.Exists(folder), "the folder of models (docs/zoo.md) is not here");
        return Path.GetFullPath(Path.Combine([folder, .. path]));
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Directory.Packages.props")))
                return folder.FullName;
        throw new DirectoryNotFoundException("the repository's root is not above the test assembly");
    }
}
