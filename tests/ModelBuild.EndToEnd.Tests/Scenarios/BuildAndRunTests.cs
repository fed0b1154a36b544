using ModelBuild.EndToEnd.Tests.Support;

namespace ModelBuild.EndToEnd.Tests.Scenarios;

/// <summary>One package, one item: the build makes a class that answers, whatever the path.</summary>
[Collection(EndToEndCollection.Name)]
public class BuildAndRunTests
{
    [Fact]
    public void Answers() => AnswersFrom("with space");

    [Theory]
    [Trait("Tier", "Ci")]
    [InlineData("at@percent%hash#")]
    [InlineData("semi;colon")]
    [InlineData("größe 日本")]
    public void AnswersFromAnyPath(string folder) => AnswersFrom(folder);

    private static void AnswersFrom(string folder)
    {
        var project = new OutsideProject(folder)
            .Write(OutsideProject.OnnxRuntime + """<OnnxModel Include="Models/Relu.onnx" Technique="none" />""")
            .Model("Models/Relu.onnx")
            .Source(OutsideProject.ReluProgram);
        project.Build().Succeeded();
        project.Run().Succeeded().Says(OutsideProject.ReluAnswer);
    }
}
