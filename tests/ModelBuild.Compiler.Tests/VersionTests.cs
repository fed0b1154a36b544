using ModelBuild.Onnx;

namespace ModelBuild.Compiler.Tests;

/// <summary>Versions of the format and of the operator set: what is compressed, what ships as it is, and what is refused.</summary>
public sealed class VersionTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("modelbuild-cli-");

    public void Dispose() => _folder.Delete(true);

    [Theory]
    [InlineData(3, 7, 0, null)]
    [InlineData(13, 26, 0, null)]
    // Older than what can be upgraded: untouched, with a warning.
    [InlineData(3, 6, 0, "MDLB2005")]
    // ONNX Runtime has no kernel of that time.
    [InlineData(3, 1, 1, "MDLB1120")]
    // Newer than the ONNX Runtime at hand.
    [InlineData(14, 26, 1, "MDLB1006")]
    [InlineData(13, 28, 1, "MDLB1006")]
    [InlineData(2, 7, 1, "MDLB1006")]
    [InlineData(15, 13, 1, "MDLB1006")]
    [InlineData(8, 29, 1, "MDLB1006")]
    [InlineData(8, 0, 1, "MDLB1006")]
    public async Task Versions(long ir, long opset, int exitCode, string? code)
    {
        var path = Path.Combine(_folder.FullName, "model.onnx");
        var output = Path.Combine(_folder.FullName, "out.onnx");
        var model = new Model { IrVersion = ir, Opset = opset };
        var type = TensorType.Of(ElementType.Float, 1, 4);
        var x = model.Graph.AddInput("x", type);
        var y = model.Graph.AddNode("Relu", [model.Graph.AddNode("Relu", [x], ["r"]).Output], ["y"]).Output;
        y.Type = type;
        model.Graph.AddOutput(y);
        if (opset == 0)
            model.Opsets.Remove("");
        OnnxWriter.Write(model, path);

        var result = await Cli.Run("compress", path, "-o", output, "--profile", "x64-avx2");
        Assert.Equal(exitCode, result.ExitCode);
        if (code is null)
            Assert.DoesNotContain("MDLB2005", result.Error, StringComparison.Ordinal);
        else
            Assert.Contains(code, result.Error, StringComparison.Ordinal);
        Assert.Equal(exitCode == 0, File.Exists(output));
        if (code == "MDLB2005")
            Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(output));
    }
}
