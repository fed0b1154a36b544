namespace ModelBuild.Onnx.Tests;

/// <summary>The folder of shared models and vectors beside the repository; tests that need it are skipped where it is absent.</summary>
internal static class Shared
{
    public static string? Folder { get; } = Find();

    public static string Repository { get; } = FindRepository()
        ?? throw new DirectoryNotFoundException("the repository's root was not found above the test assembly");

    /// <summary>The full path of something in the shared folder; skips the test where it does not exist.</summary>
    public static string Path(string relative)
    {
        Skip.If(Folder is null, "the folder of models (docs/zoo.md) is not here");
        var path = System.IO.Path.Combine(Folder!, relative);
        Skip.IfNot(File.Exists(path) || Directory.Exists(path), $"{relative} (docs/zoo.md) is not here");
        return path;
    }

    /// <summary>Names of the models in the zoo; empty where it is absent.</summary>
    public static IEnumerable<string> ZooModels => Folder is null || !Directory.Exists(System.IO.Path.Combine(Folder, "zoo"))
        ? []
        : Directory.GetDirectories(System.IO.Path.Combine(Folder, "zoo")).Where(d => File.Exists(System.IO.Path.Combine(d, "model.onnx")))
            .Select(d => System.IO.Path.GetFileName(d)!).Order(StringComparer.Ordinal);

    private static string? Find() => FindRepository() is { } root
        && (Environment.GetEnvironmentVariable("MODELBUILD_SHARED") ?? System.IO.Path.Combine(root, "..", "shared")) is var shared && Directory.Exists(shared)
        ? System.IO.Path.GetFullPath(shared) : null;

    private static string? FindRepository()
    {
        for (var d = new DirectoryInfo(AppContext.BaseDirectory); d is not null; d = d.Parent)
            if (File.Exists(System.IO.Path.Combine(d.FullName, "Directory.Packages.props")))
                return d.FullName;
        return null;
    }
}
