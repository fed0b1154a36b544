using ModelBuild.EndToEnd.Tests.Support;

namespace ModelBuild.EndToEnd.Tests.Scenarios;

/// <summary>Cleaning leaves nothing of ours, but for the cache.</summary>
[Collection(EndToEndCollection.Name)]
public class CleanTests
{
    [Fact]
    public void RemovesEverything()
    {
        var project = new OutsideProject()
            .Write(OutsideProject.OnnxRuntime + """<OnnxModel Include="Relu.onnx" Technique="none" />""")
            .Model()
            .Source(OutsideProject.ReluProgram);
        project.Build().Succeeded();
        Assert.True(Directory.Exists(project.Models()));
        project.Command("clean").Succeeded();
        Assert.False(Directory.Exists(Path.Combine(project.Bin, "modelbuild")));
        Assert.False(Directory.Exists(Path.Combine(project.Obj, "modelbuild")));
    }
}
