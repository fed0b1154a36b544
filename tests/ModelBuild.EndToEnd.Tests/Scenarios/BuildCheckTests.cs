using ModelBuild.EndToEnd.Tests.Support;

namespace ModelBuild.EndToEnd.Tests.Scenarios;

/// <summary>MSBuild's own checks have nothing to say about our targets.</summary>
[Collection(EndToEndCollection.Name)]
[Trait("Tier", "Ci")]
public class BuildCheckTests
{
    [Fact]
    public void IsSilent()
    {
        var project = new OutsideProject()
            .Write(OutsideProject.OnnxRuntime + """<OnnxModel Include="Relu.onnx" Technique="none" />""")
            .Model()
            .Source(OutsideProject.ReluProgram);
        project.Build("-check").Succeeded().DoesNotSay("BC0").DoesNotSay("warning");
    }
}
