namespace ModelBuild.EndToEnd.Tests.Support;

/// <summary>All scenarios: one after the other, because each build takes all cores, and with what they made deleted at the end.</summary>
[CollectionDefinition(Name)]
public sealed class EndToEndCollection : ICollectionFixture<EndToEndCollection>, IDisposable
{
    /// <summary>The name of the collection.</summary>
    public const string Name = nameof(EndToEndCollection);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Directory.Exists(Packages.Workspace))
            Directory.Delete(Packages.Workspace, recursive: true);
    }
}

/// <summary>The packages of this repository, packed once a run under a version of their own, into a feed and a package folder of their own.</summary>
internal static class Packages
{
    private static readonly string[] Projects = ["ModelBuild.Runtime", "ModelBuild.OnnxRuntime", "ModelBuild"];
    private static readonly Lazy<string> PackedVersion = new(Pack);

    /// <summary>The folder that holds all that a run makes; deleted at its end.</summary>
    public static string Workspace { get; } = Path.Combine(Path.GetTempPath(), $"modelbuild-e2e-{Guid.NewGuid():N}");

    public static string Feed { get; } = Path.Combine(Workspace, "feed");

    /// <summary>Where outside projects restore to.</summary>
    public static string Folder { get; } = Path.Combine(Workspace, "packages");

    /// <summary>The cache of compiled models, shared by the scenarios as by a user's projects.</summary>
    public static string Cache { get; } = Path.Combine(Workspace, "cache");

    /// <summary>The version of the packages; packs them on first use.</summary>
    public static string Version => PackedVersion.Value;

    private static string Pack()
    {
        Directory.CreateDirectory(Workspace);
        var suffix = $"e2e.{Guid.NewGuid():N}";
        foreach (var project in Projects)
            DotNet.Run(
                Repository.Root,
                "pack", Path.Combine("src", project), "--no-build", "--configuration", Repository.Configuration, "--version-suffix", suffix, "--output", Feed)
                    .Succeeded();
        // Other packages come from this machine's folder without being copied.
        var machine = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } path
            ? path
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        File.WriteAllText(Path.Combine(Workspace, "nuget.config"), $"""
            <configuration>
              <packageSources>
                <add key="packed" value="{Feed}" />
              </packageSources>
              <fallbackPackageFolders>
                <add key="machine" value="{machine}" />
              </fallbackPackageFolders>
            </configuration>
            """);
        return $"1.0.0-{suffix}";
    }
}
