using ModelBuild.EndToEnd.Tests.Support;

namespace ModelBuild.EndToEnd.Tests.Scenarios;

/// <summary>A project of another language gets its models compiled and is told where the class can be had.</summary>
[Collection(EndToEndCollection.Name)]
[Trait("Tier", "Ci")]
public class OtherLanguageTests
{
    [Theory]
    [InlineData("fs", "printfn \"hello\"")]
    [InlineData("vb", "Module Program\nSub Main()\nEnd Sub\nEnd Module")]
    public void ModelsAreCompiledAndTheMissingClassIsSaid(string language, string program)
    {
        var file = $"Program.{language}";
        var project = new OutsideProject(language: language)
            .Write(OutsideProject.OnnxRuntime + (language == "fs" ? $"""<Compile Include="{file}" />""" : "")
                + """<OnnxModel Include="Relu.onnx" Technique="none" />""", "<TreatWarningsAsErrors>false</TreatWarningsAsErrors>")
            .Model()
            .Source(program, file);
        project.Build().Succeeded().Says("warning MDLB4001").Says("C# library");
        Assert.True(File.Exists(Path.Combine(project.Models(), "Relu.json")));
    }
}
