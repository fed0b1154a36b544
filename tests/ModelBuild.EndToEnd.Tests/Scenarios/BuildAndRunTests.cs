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
            .Write(OutsideProject.OnnxRuntime + """
                <OnnxModel Include="Models/Relu.onnx" Technique="none" />
                <OnnxModel Include="Models/digits.onnx" Technique="int8" Profile="x64-avx2" CalibrationData="Models/calibration.npz;Models/eval*.npz" />
                """)
            .Model("Models/Relu.onnx")
            .Sample("digits.onnx").Sample("calibration.npz").Sample("evaluation.npz")
            .Source(OutsideProject.ReluProgram);
        project.Build().Succeeded().Says("Digits: int8 on");
        project.Run().Succeeded().Says(OutsideProject.ReluAnswer);
    }
}
