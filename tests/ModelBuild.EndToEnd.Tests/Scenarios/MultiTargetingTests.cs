using System.IO.Compression;
using ModelBuild.EndToEnd.Tests.Support;

namespace ModelBuild.EndToEnd.Tests.Scenarios;

/// <summary>One project, several target frameworks: each that can has the class and the models, side by side, and one compilation serves all.</summary>
[Collection(EndToEndCollection.Name)]
[Trait("Tier", "Ci")]
public class MultiTargetingTests
{
    // A platform that needs no packages; those that the SDK supports do.
    private const string AnyPlatform = "<TargetPlatformSupported>true</TargetPlatformSupported><NoWarn>CA1418</NoWarn>";
    private const string Facade = "public static class Facade { public static float Run(float x) => Lib.Models.Relu.Load().Predict(new[] { x, 0f, 0f, 0f "
        + "}).Y[0]; }";

    [Fact]
    public void TwoFrameworksShareOneCompilation()
    {
        var library = Library("net10.0;net10.0-linux1.0", """<OnnxModel Include="Relu.onnx" Technique="none" />""");
        library.Build("-m").Succeeded();
        foreach (var framework in new[] { "net10.0", "net10.0-linux1.0" })
            Assert.True(File.Exists(Path.Combine(library.Folder, "bin", "Debug", framework, "modelbuild", "Lib", "Relu.json")), framework);
        library.Build("-m", "-question").Succeeded();
        Assert.Single(Directory.GetFiles(Path.Combine(library.Folder, "cache"), "entry.json", SearchOption.AllDirectories));
        Answers($"""<ProjectReference Include="{library.ProjectFile}" />""");
    }

    [Fact]
    public void AnOlderFrameworkGoesWithoutModels()
    {
        var library = Library("net10.0;netstandard2.0", """<OnnxModel Include="Relu.onnx" Technique="none" Condition="'$(TargetFramework)' == 'net10.0'" />""",
            "#if NET\n" + Facade + "\n#endif");
        library.Build().Succeeded();
        Assert.False(Directory.Exists(Path.Combine(library.Folder, "bin", "Debug", "netstandard2.0", "modelbuild")));
        Answers($"""<ProjectReference Include="{library.ProjectFile}" />""");
    }

    [Fact]
    public void APackageCarriesTheModelsOfEachFramework()
    {
        var name = $"Lib{Guid.NewGuid().ToString("N")[..8]}";
        var library = Library("net10.0;net10.0-linux1.0", """<OnnxModel Include="Relu.onnx" Technique="none" />""",
            properties: $"<PackageId>{name}</PackageId><Version>2.0.0-beta</Version><Description>a</Description>");
        library.Command("pack", "-o", Packages.Feed).Succeeded().DoesNotSay("warning");
        using (var package = ZipFile.OpenRead(Path.Combine(Packages.Feed, $"{name}.2.0.0-beta.nupkg")))
            Assert.Equal(2, package.Entries.Count(entry => entry.Name == "Relu.json"));
        Answers($"""<PackageReference Include="{name}" Version="2.0.0-beta" />""");
    }

    private static OutsideProject Library(string frameworks, string items, string source = Facade, string properties = "")
    {
        var library = new OutsideProject("lib", "Lib").Write(items + """<SdkSupportedTargetPlatformVersion Include="1.0" />""",
            AnyPlatform + $"<LangVersion>latest</LangVersion>{properties}", "Library").Model().Source(source, "Facade.cs");
        var text = File.ReadAllText(library.ProjectFile).Replace("<TargetFramework>net10.0</TargetFramework>",
            $"<TargetFrameworks>{frameworks}</TargetFrameworks>", StringComparison.Ordinal);
        // A cache of its own, to count what is compiled.
        File.WriteAllText(library.ProjectFile, text.Replace(Packages.Cache, Path.Combine(library.Folder, "cache"), StringComparison.Ordinal));
        return library;
    }

    private static void Answers(string reference)
    {
        var app = new OutsideProject().Write(OutsideProject.OnnxRuntime + reference)
            .Source("ModelBuild.OnnxRuntimeBackend.Register();\nConsole.WriteLine(\"facade \" + Facade.Run(3) + \" \" + Facade.Run(-3));");
        app.Build().Succeeded();
        Assert.True(File.Exists(Path.Combine(app.Models("Lib"), "Relu.json")));
        app.Run().Succeeded().Says("facade 3 0");
    }
}
