using ModelBuild.EndToEnd.Tests.Support;

namespace ModelBuild.EndToEnd.Tests.Scenarios;

/// <summary>Published apps find their models, beside them or inside.</summary>
[Collection(EndToEndCollection.Name)]
[Trait("Tier", "Ci")]
public class PublishTests
{
    [Fact]
    public void FilesLieBesideTheApp()
    {
        var project = new OutsideProject()
            .Write(OutsideProject.OnnxRuntime + """<OnnxModel Include="Relu.onnx" Technique="none" />""")
            .Model()
            .Source(OutsideProject.ReluProgram);
        project.Command("publish", "-o", "published").Succeeded();
        Assert.True(File.Exists(Path.Combine(project.Folder, "published", "modelbuild", "App", "Relu.json")));
        DotNet.Run(Path.GetTempPath(), Path.Combine(project.Folder, "published", "App.dll")).Succeeded().Says(OutsideProject.ReluAnswer);
    }

    [Fact]
    public void EmbeddedModelsLeaveNoFile()
    {
        var project = new OutsideProject()
            .Write(OutsideProject.OnnxRuntime + """<OnnxModel Include="Relu.onnx" Technique="none" Embed="true" />""")
            .Model()
            .Source(OutsideProject.ReluProgram);
        project.Build().Succeeded();
        Assert.False(Directory.Exists(project.Models()));
        project.Run().Succeeded().Says(OutsideProject.ReluAnswer);
        project.Build("-question").Succeeded();
    }

    [Fact]
    public void FilesLieBesideASingleFileApp()
    {
        var runtime = System.Runtime.InteropServices.RuntimeInformation.RuntimeIdentifier;
        var project = new OutsideProject()
            .Write(OutsideProject.OnnxRuntime + """<OnnxModel Include="Relu.onnx" Technique="none" />""")
            .Model()
            .Source(OutsideProject.ReluProgram);
        project.Command("publish", "-r", runtime, "--self-contained", "false", "-p:PublishSingleFile=true", "-o", "published").Succeeded();
        Assert.False(File.Exists(Path.Combine(project.Folder, "published", "App.dll")));
        DotNet.Start(Path.Combine(project.Folder, "published", OperatingSystem.IsWindows() ? "App.exe" : "App"), Path.GetTempPath()).Succeeded()
            .Says(OutsideProject.ReluAnswer);
    }
}
