using ModelBuild.EndToEnd.Tests.Support;

namespace ModelBuild.EndToEnd.Tests.Scenarios;

/// <summary>An F# project gets its models compiled and is told where the class can be had.</summary>
[Collection(EndToEndCollection.Name)]
[Trait("Tier", "Ci")]
public class OtherLanguageTests
{
    [Fact]
    public void FSharp()
    {
        var project = new OutsideProject(language: "fs")
            .Write(OutsideProject.OnnxRuntime + """<Compile Include="Program.fs" /><OnnxModel Include="Relu.onnx" Technique="none" />""", "<TreatWarningsAsErrors>false</TreatWarningsAsErrors>")
            .Model()
            .Source("printfn \"hello\"", "Program.fs");
        project.Build().Succeeded().Says("warning MDLB4001").Says("C# library");
        Assert.True(File.Exists(Path.Combine(project.Models(), "Relu.json")));
    }
}
