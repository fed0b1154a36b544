using ModelBuild.EndToEnd.Tests.Support;
using Xunit.Abstractions;

namespace ModelBuild.EndToEnd.Tests.Scenarios;

/// <summary>A build that changes nothing does nothing.</summary>
[Collection(EndToEndCollection.Name)]
public class SecondBuildTests(ITestOutputHelper output)
{
    [Fact]
    public void CompilesNothing()
    {
        var project = new OutsideProject()
            .Write(OutsideProject.OnnxRuntime + """<OnnxModel Include="Relu.onnx" Technique="none" />""")
            .Model()
            .Source(OutsideProject.ReluProgram);
        project.Build().Succeeded();
        project.Build("-bl:second.binlog").Succeeded();
        var log = new BuildLog(Path.Combine(project.Folder, "second.binlog"));
        output.WriteLine($"ModelBuild's tasks took {log.OurTime.TotalMilliseconds:F1} ms\n{log.Summary}");
        Assert.Contains("InspectModels", log.Tasks);
        Assert.DoesNotContain("CompileModels", log.Tasks);
        Assert.DoesNotContain("Csc", log.Tasks);
        project.Build("-question").Succeeded();
    }

    [Fact]
    public void OtherBytesUnderTheSameSizeAndTimeAreNoticed()
    {
        var project = new OutsideProject()
            .Write(OutsideProject.OnnxRuntime + """<OnnxModel Include="Models/digits.onnx" Technique="none" />""")
            .Sample("digits.onnx")
            .Source("Console.WriteLine();");
        project.Build().Succeeded();
        var artifact = Directory.GetFiles(project.Models(), "Digits.*").Single(file => !file.EndsWith(".json", StringComparison.Ordinal));
        var before = File.ReadAllBytes(artifact);
        // Other weights, as an archive with fixed times brings them.
        var model = Path.Combine(project.Folder, "Models", "digits.onnx");
        var (bytes, time) = (File.ReadAllBytes(model), File.GetLastWriteTimeUtc(model));
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(model, bytes);
        File.SetLastWriteTimeUtc(model, time);
        project.Build("-question").Failed();
        project.Build().Succeeded();
        Assert.NotEqual(before, File.ReadAllBytes(artifact));
    }

    [Theory]
    [InlineData("bin", "truncated")]
    [InlineData("bin", "zeroed")]
    [InlineData("obj", "truncated")]
    [InlineData("obj", "zeroed")]
    public void ADamagedArtifactIsRepaired(string where, string how)
    {
        var project = new OutsideProject()
            .Write(OutsideProject.OnnxRuntime + """<OnnxModel Include="Relu.onnx" Technique="none" />""")
            .Model()
            .Source(OutsideProject.ReluProgram);
        project.Build().Succeeded();
        var folder = where == "bin" ? project.Models() : Path.Combine(project.Obj, "modelbuild", "out", "Relu");
        foreach (var file in Directory.GetFiles(folder, "Relu.*").Where(file => !file.Contains("report", StringComparison.Ordinal)))
            File.WriteAllBytes(file, new byte[how == "zeroed" ? new FileInfo(file).Length : 3]);
        project.Build().Succeeded();
        project.Run().Succeeded().Says(OutsideProject.ReluAnswer);
        project.Build("-question").Succeeded();
    }

    [Fact]
    public void AChangedModelIsCompiledAndCopied()
    {
        var project = new OutsideProject()
            .Write(OutsideProject.OnnxRuntime + """<OnnxModel Include="Relu.onnx" Technique="none" />""")
            .Model()
            .Source("Console.WriteLine(App.Models.Relu.Info.ShapeText(App.Models.Relu.Info.Inputs[0])); using var model = App.Models.Relu.Load();");
        project.Build().Succeeded();
        project.Run().Succeeded().Says("[batch, 4]");
        project.Bytes("Relu.onnx", ModelBuild.Tasks.Tests.Support.OnnxFile.Model(shape: ["batch", 5]));
        project.Build().Succeeded();
        // Loads only if the manifest beside the app belongs to the new class.
        project.Run().Succeeded().Says("[batch, 5]");
    }

    [Fact]
    [Trait("Tier", "Ci")]
    public void ADeletedArtifactComesBack()
    {
        var project = new OutsideProject()
            .Write(OutsideProject.OnnxRuntime + """<OnnxModel Include="Relu.onnx" Technique="none" />""")
            .Model()
            .Source(OutsideProject.ReluProgram);
        project.Build().Succeeded();
        Directory.Delete(Path.Combine(project.Obj, "modelbuild", "out"), true);
        Directory.Delete(project.Models(), true);
        project.Build().Succeeded();
        project.Run().Succeeded().Says(OutsideProject.ReluAnswer);
    }

    [Fact]
    [Trait("Tier", "Ci")]
    public void ARemovedModelLeavesTheOutput()
    {
        var project = new OutsideProject()
            .Write(OutsideProject.OnnxRuntime + """<OnnxModel Include="Relu.onnx" Technique="none" /><OnnxModel Include="Other.onnx" Technique="none" />""")
            .Model().Model("Other.onnx")
            .Source(OutsideProject.ReluProgram);
        project.Build().Succeeded();
        Assert.True(File.Exists(Path.Combine(project.Models(), "Other.json")));
        project.Write(OutsideProject.OnnxRuntime + """<OnnxModel Include="Relu.onnx" Technique="none" />""");
        project.Build().Succeeded();
        Assert.DoesNotContain(Directory.GetFiles(project.Models()), file => Path.GetFileName(file).StartsWith("Other", StringComparison.Ordinal));
        project.Run().Succeeded().Says(OutsideProject.ReluAnswer);
    }
}
