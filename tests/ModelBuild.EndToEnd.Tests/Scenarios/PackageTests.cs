using System.IO.Compression;
using ModelBuild.EndToEnd.Tests.Support;

namespace ModelBuild.EndToEnd.Tests.Scenarios;

/// <summary>What the package holds, and what it must not hold.</summary>
[Collection(EndToEndCollection.Name)]
public class PackageTests
{
    [Fact]
    public void HoldsItsPartsAndNoMore()
    {
        using var package = ZipFile.OpenRead(Path.Combine(Packages.Feed, $"ModelBuild.{Packages.Version}.nupkg"));
        var files = package.Entries.Select(entry => entry.FullName).ToList();
        Assert.Contains("build/ModelBuild.props", files);
        Assert.Contains("build/ModelBuild.targets", files);
        Assert.Contains("build/ModelBuild.OnnxModel.xaml", files);
        Assert.Contains("tasks/netstandard2.0/ModelBuild.Tasks.dll", files);
        Assert.Contains("tools/net10.0/modelbuild.dll", files);
        Assert.Contains("tools/net10.0/onnxruntime/ThirdPartyNotices.txt", files);
        foreach (var system in new[] { "linux-x64", "linux-arm64", "win-x64", "win-arm64", "osx-arm64" })
            Assert.Contains(files, file => file.StartsWith($"tools/net10.0/runtimes/{system}/native/", StringComparison.Ordinal) && Path.GetFileName(file)
                .Contains("onnxruntime.", StringComparison.Ordinal));
        // A buildTransitive file would replace the build files; the generator must have no dll beside it; user code gets nothing to reference.
        Assert.DoesNotContain(files, file => file.StartsWith("buildTransitive/", StringComparison.Ordinal));
        Assert.Equal(["analyzers/dotnet/roslyn5.0/cs/ModelBuild.Generators.dll"], files.Where(file => file.StartsWith("analyzers/", StringComparison.Ordinal)));
        Assert.All(files.Where(file => file.StartsWith("lib/", StringComparison.Ordinal)), file => Assert.EndsWith("/_._", file));
        var pages = Directory.GetFiles(Path.Combine(Repository.Root, "docs", "diagnostics"), "*.md")
            .Select(page => "docs/diagnostics/" + Path.GetFileName(page));
        Assert.Empty(pages.Except(files));
    }
}
