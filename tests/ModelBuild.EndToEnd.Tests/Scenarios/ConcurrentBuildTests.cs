using ModelBuild.EndToEnd.Tests.Support;

namespace ModelBuild.EndToEnd.Tests.Scenarios;

/// <summary>Several builds of one project at once, as an editor and a command line start them.</summary>
[Collection(EndToEndCollection.Name)]
public class ConcurrentBuildTests
{
    [Theory]
    [InlineData("nothing was built")]
    [InlineData("the model changed")]
    public async Task AllOfThemSucceed(string situation)
    {
        var project = new OutsideProject()
            .Write("""<OnnxModel Include="Models/digits.onnx" CalibrationData="Models/calibration.npz" Profile="portable" />""")
            .Sample("digits.onnx").Sample("calibration.npz")
            .Source("using var model = App.Models.Digits.Load(); Console.WriteLine(\"technique \" + model.Untyped.Technique);");
        project.Command("restore").Succeeded();
        if (situation == "the model changed")
        {
            project.Build().Succeeded();
            File.SetLastWriteTimeUtc(Path.Combine(project.Folder, "Models", "digits.onnx"), DateTime.UtcNow);
        }
        var builds = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() => project.Build("--no-restore"))));
        Assert.All(builds, build => build.Succeeded());
        project.Run().Succeeded().Says("technique int8");
        project.Build("-question").Succeeded();
    }
}
