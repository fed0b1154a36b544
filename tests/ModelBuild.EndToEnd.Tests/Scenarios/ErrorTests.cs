using System.Text;
using ModelBuild.EndToEnd.Tests.Support;
using ModelBuild.Tasks.Tests.Support;

namespace ModelBuild.EndToEnd.Tests.Scenarios;

/// <summary>What is wrong is said with a code at the item's line, with the fix, and leaves nothing half-written.</summary>
[Collection(EndToEndCollection.Name)]
public class ErrorTests
{
    [Theory]
    [InlineData("missing", "MDLB1001", "does not exist")]
    [InlineData("empty", "MDLB1002", "Fetch or export it again")]
    [InlineData("lfs", "MDLB1003", "git lfs pull")]
    [InlineData("truncated", "MDLB1004", "Fetch or export it again")]
    [InlineData("corrupt", "MDLB1004", "Fetch or export it again")]
    [InlineData("newer", "MDLB1006", "update ModelBuild")]
    public void BadModel(string kind, string code, string fix)
    {
        var whole = OnnxFile.Model(shape: ["batch", 4]);
        var project = new OutsideProject().Write(OutsideProject.OnnxRuntime + "\n" + """<OnnxModel Include="Relu.onnx" />""").Source("");
        if (kind != "missing")
            project.Bytes("Relu.onnx", kind switch
            {
                "empty" => [],
                "lfs" => Encoding.ASCII.GetBytes("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"),
                "truncated" => whole[..(whole.Length / 2)],
                "corrupt" => Encoding.ASCII.GetBytes("<html>404</html>"),
                _ => OnnxFile.Model(ir: 99),
            });
        AssertFails(project, "Relu.onnx", code, fix);
    }

    [Theory]
    [InlineData("Profile=\"x64-avx22\"", "MDLB0020", "Did you mean \"x64-avx2\"?")]
    [InlineData("Optimize=\"sizes\"", "MDLB0001", "Did you mean \"size\"?")]
    [InlineData("MaxAccuracyLoss=\"1%\"", "MDLB0002", "0.01")]
    [InlineData("CalibrationData=\"nowhere.npz\"", "MDLB0041", "nowhere.npz")]
    public void BadMetadata(string metadata, string code, string fix) =>
        AssertFails(new OutsideProject().Write(OutsideProject.OnnxRuntime + "\n" + $"""<OnnxModel Include="Relu.onnx" {metadata} />""").Model().Source(""), "Relu.onnx", code, fix);

    [Fact]
    public void NativeOnnxRuntimeIsMissing()
    {
        var project = new OutsideProject()
            .Write($"""<PackageReference Include="ModelBuild.OnnxRuntime" Version="{Packages.Version}" /><OnnxModel Include="Relu.onnx" Technique="none" />""")
            .Model().Source("");
        project.Build().Failed().Says("error MDLB3020").Says("dotnet add package Microsoft.ML.OnnxRuntime");
    }

    [Fact]
    public void OlderTargetFramework()
    {
        var project = new OutsideProject().Write("""<OnnxModel Include="Relu.onnx" />""", outputType: "Library").Model().Source("", "Empty.cs");
        File.WriteAllText(project.ProjectFile, File.ReadAllText(project.ProjectFile).Replace("<TargetFramework>net10.0", "<TargetFramework>netstandard2.0", StringComparison.Ordinal));
        project.Build().Failed().Says("error MDLB0046");
    }

    [Fact]
    public void AnErrorAfterASuccessfulBuildDoesNotLookLikeSuccess()
    {
        var project = new OutsideProject().Write(OutsideProject.OnnxRuntime + """<OnnxModel Include="Relu.onnx" Technique="none" />""").Model().Source(OutsideProject.ReluProgram);
        project.Build().Succeeded();
        project.Bytes("Relu.onnx", [1, 2, 3]);
        project.Build().Failed().Says("MDLB1004");
        project.Build().Failed().Says("MDLB1004");
    }

    private static void AssertFails(OutsideProject project, string include, string code, string fix)
    {
        var result = project.Build().Failed();
        var line = result.Output.Split('\n').First(text => text.Contains($"error {code}", StringComparison.Ordinal));
        Assert.StartsWith($"{project.ProjectFile}({project.LineOf(include)},", line);
        Assert.Contains(fix, line);
        Assert.False(Directory.Exists(Path.Combine(project.Obj, "modelbuild", "out")));
        Assert.False(Directory.Exists(Path.Combine(project.Bin, "modelbuild")));
    }
}
