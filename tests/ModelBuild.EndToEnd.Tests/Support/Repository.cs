using System.Reflection;

namespace ModelBuild.EndToEnd.Tests.Support;

/// <summary>Where the repository and the shared folder beside it are, and how they were built.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>Debug or Release: what the tests were built with, and so what is packed.</summary>
    public static string Configuration { get; } = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    /// <summary>A value that the test project was built with.</summary>
    public static string Metadata(string name) =>
        typeof(Repository).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == name).Value ?? "";

    /// <summary>A path in the shared folder; skips the test where there is none.</summary>
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
