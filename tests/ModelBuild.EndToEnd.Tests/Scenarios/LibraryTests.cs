using ModelBuild.EndToEnd.Tests.Support;

namespace ModelBuild.EndToEnd.Tests.Scenarios;

/// <summary>Models of a library reach the app through project references and through packages.</summary>
[Collection(EndToEndCollection.Name)]
[Trait("Tier", "Ci")]
public class LibraryTests
{
    private const string Library = "public static class Facade { public static float Run(float x) => Lib.Models.Relu.Load().Predict(new[] { x, 0f, 0f, 0f }).Y[0]; }";
    private const string Program = "Console.WriteLine(\"facade \" + Facade.Run(3) + \" \" + Facade.Run(-3));";

    [Fact]
    public void ThroughAProjectReference()
    {
        var library = new OutsideProject("lib", "Lib").Write("""<OnnxModel Include="Relu.onnx" Technique="none" />""", outputType: "Library").Model().Source(Library, "Facade.cs");
        var app = new OutsideProject().Write(OutsideProject.OnnxRuntime + $"""<ProjectReference Include="{library.ProjectFile}" />""").Source(
            // The library does not reference ModelBuild.OnnxRuntime: its app does, and says so.
            "ModelBuild.OnnxRuntimeBackend.Register();\n" + Program);
        app.Build().Succeeded();
        Assert.True(File.Exists(Path.Combine(app.Models("Lib"), "Relu.json")));
        app.Run().Succeeded().Says("facade 3 0");
        app.Command("publish", "-o", "published").Succeeded();
        Assert.True(File.Exists(Path.Combine(app.Folder, "published", "modelbuild", "Lib", "Relu.json")));
    }

    [Fact]
    public void ThroughAPackage()
    {
        var name = $"Lib{Guid.NewGuid().ToString("N")[..8]}";
        var library = new OutsideProject("lib", "Lib").Write(
            """<OnnxModel Include="Relu.onnx" Technique="none" />""",
            $"<PackageId>{name}</PackageId><Version>2.0.0-beta</Version><Description>a</Description>", "Library").Model().Source(Library, "Facade.cs");
        library.Command("pack", "-o", Packages.Feed).Succeeded().DoesNotSay("warning");
        var app = new OutsideProject().Write(OutsideProject.OnnxRuntime + $"""<PackageReference Include="{name}" Version="2.0.0-beta" />""").Source("ModelBuild.OnnxRuntimeBackend.Register();\n" + Program);
        app.Build().Succeeded();
        Assert.True(File.Exists(Path.Combine(app.Models("Lib"), "Relu.json")));
        app.Run().Succeeded().Says("facade 3 0");
    }
}
