using ModelBuild.EndToEnd.Tests.Support;

namespace ModelBuild.EndToEnd.Tests.Scenarios;

/// <summary>Models of a library reach the app through project references and through packages.</summary>
[Collection(EndToEndCollection.Name)]
[Trait("Tier", "Ci")]
public class LibraryTests
{
    private const string Library =
        "public static class Facade { public static float Run(float x) => Lib.Models.Relu.Load().Predict(new[] { x, 0f, 0f, 0f }).Y[0]; }";
    private const string Program = "Console.WriteLine(\"facade \" + Facade.Run(3) + \" \" + Facade.Run(-3));";

    [Fact]
    public void ThroughAProjectReference()
    {
        var library = new OutsideProject("lib", "Lib").Write("""<OnnxModel Include="Relu.onnx" Technique="none" />""", outputType: "Library").Model()
            .Source(Library, "Facade.cs");
        var app = new OutsideProject().Write(OutsideProject.OnnxRuntime + $"""<ProjectReference Include="{library.ProjectFile}" />""").Source(
            // The library does not reference ModelBuild.OnnxRuntime: its app does, and says so.
            "ModelBuild.OnnxRuntimeBackend.Register();\n" + Program);
        app.Build().Succeeded();
        Assert.True(File.Exists(Path.Combine(app.Models("Lib"), "Relu.json")));
        app.Run().Succeeded().Says("facade 3 0");
        app.Command("publish", "-o", "published").Succeeded();
        Assert.True(File.Exists(Path.Combine(app.Folder, "published", "modelbuild", "Lib", "Relu.json")));
    }

    /// <summary>Nothing of ModelBuild runs in the build of an app that only references a library: MSBuild's own copying repairs.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(-1)]
    public void DamagedCopiesOfAnAppWithoutModelBuildAreRepaired(int length)
    {
        var library = new OutsideProject("lib", "Lib").Write("""<OnnxModel Include="Relu.onnx" Technique="none" />""", outputType: "Library").Model()
            .Source(Library, "Facade.cs");
        var app = new OutsideProject().Write(OutsideProject.OnnxRuntime + $"""<ProjectReference Include="{library.ProjectFile}" />""")
            .Source("ModelBuild.OnnxRuntimeBackend.Register();\n" + Program);
        var text = File.ReadAllText(app.ProjectFile);
        var without = text.Replace($"""<PackageReference Include="ModelBuild" Version="{Packages.Version}" />""", "", StringComparison.Ordinal);
        Assert.NotEqual(text, without);
        File.WriteAllText(app.ProjectFile, without);
        app.Build().Succeeded();
        foreach (var file in Directory.GetFiles(app.Models("Lib")))
            File.WriteAllBytes(file, new byte[length < 0 ? new FileInfo(file).Length : length]);
        app.Build().Succeeded();
        app.Run().Succeeded().Says("facade 3 0");
        app.Build("-question").Succeeded();
    }

    [Fact]
    public void ThroughAPackage()
    {
        var name = $"Lib{Guid.NewGuid().ToString("N")[..8]}";
        var library = new OutsideProject("lib", "Lib").Write(
            """<OnnxModel Include="Relu.onnx" Technique="none" />""",
            $"<PackageId>{name}</PackageId><Version>2.0.0-beta</Version><Description>a</Description>", "Library").Model().Source(Library, "Facade.cs");
        library.Command("pack", "-o", Packages.Feed).Succeeded().DoesNotSay("warning");
        Assert.Equal(["ModelBuild.Runtime"], Dependencies(name));
        var app = new OutsideProject().Write(OutsideProject.OnnxRuntime + $"""<PackageReference Include="{name}" Version="2.0.0-beta" />""")
            .Source("ModelBuild.OnnxRuntimeBackend.Register();\n" + Program);
        app.Build().Succeeded();
        Assert.True(File.Exists(Path.Combine(app.Models("Lib"), "Relu.json")));
        app.Run().Succeeded().Says("facade 3 0");
    }

    [Theory]
    [InlineData("")]
    [InlineData("PrivateAssets=\"all\"")]
    public void ItsPackageDoesNotBringTheCompiler(string reference)
    {
        var name = $"Lib{Guid.NewGuid().ToString("N")[..8]}";
        var library = new OutsideProject("lib", "Lib").Write(
            $"""<OnnxModel Include="Relu.onnx" Technique="none" /><PackageReference Update="ModelBuild" {reference} />{OutsideProject.OnnxRuntime}""",
            // The outer build of several target frameworks packs, too.
            $"<TargetFramework></TargetFramework><TargetFrameworks>net10.0</TargetFrameworks><PackageId>{name}</PackageId><Version>2.0.0-beta</Version><Description>a</Description>", "Library").Model().Source(Library, "Facade.cs");
        library.Command("pack", "-o", Packages.Feed).Succeeded().DoesNotSay("warning");
        Assert.Equal(["Microsoft.ML.OnnxRuntime", "ModelBuild.OnnxRuntime", "ModelBuild.Runtime"], Dependencies(name));
        library.Command("pack", "-o", Packages.Feed).Succeeded();
        Assert.Equal(["Microsoft.ML.OnnxRuntime", "ModelBuild.OnnxRuntime", "ModelBuild.Runtime"], Dependencies(name));

        var app = new OutsideProject().Source("ModelBuild.OnnxRuntimeBackend.Register();\n" + Program);
        File.WriteAllText(app.ProjectFile, $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings></PropertyGroup>
              <ItemGroup><PackageReference Include="{name}" Version="2.0.0-beta" /></ItemGroup>
            </Project>
            """);
        app.Build().Succeeded();
        Assert.DoesNotContain("\"ModelBuild/", File.ReadAllText(Path.Combine(app.Folder, "obj", "project.assets.json")), StringComparison.Ordinal);
        app.Run().Succeeded().Says("facade 3 0");
    }

    // The packages that a package depends on, by name.
    private static IEnumerable<string> Dependencies(string name)
    {
        using var package = System.IO.Compression.ZipFile.OpenRead(Path.Combine(Packages.Feed, $"{name}.2.0.0-beta.nupkg"));
        using var nuspec = package.GetEntry($"{name}.nuspec")!.Open();
        return [.. System.Xml.Linq.XDocument.Load(nuspec).Descendants().Where(element => element.Name.LocalName == "dependency")
            .Select(element => (string)element.Attribute("id")!).Order(StringComparer.Ordinal)];
    }
}
