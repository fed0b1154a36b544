namespace ModelBuild.Onnx.Tests;

/// <summary>Weights that do not fit into one file lie in a second one, named by its content.</summary>
public sealed class ExternalWriteTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("modelbuild-onnx-");

    public void Dispose() => _folder.Delete(true);

    private string Path => System.IO.Path.Combine(_folder.FullName, "model.onnx");

    [Fact]
    public void A_split_model_is_read_and_run_as_the_same_model()
    {
        OnnxWriter.Write(Sum(1), Path, 0);
        var data = Assert.Single(ExternalFiles.Of(Path));
        Assert.StartsWith(System.IO.Path.GetFileNameWithoutExtension(data),
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(data))), StringComparison.Ordinal);
        Assert.Equal(2, _folder.GetFiles().Length);

        var read = OnnxReader.Read(Path);
        Assert.Equal(OnnxWriter.ToBytes(Sum(1)), OnnxWriter.ToBytes(read));
        var inputs = new Dictionary<string, Tensor> { ["x"] = Tensor.Vector(Enumerable.Repeat(2f, 1000).ToArray()) };
        var expected = new Interpreter(Sum(1)).Run(inputs)["y"].ToArray<float>();
        Assert.Equal(expected, OnnxRuntimeSession.Run([], inputs, Path)["y"].ToArray<float>());
    }

    [Fact]
    public void Equal_weights_are_one_file_and_others_never_replace_them()
    {
        OnnxWriter.Write(Sum(1), Path, 0);
        var first = File.ReadAllBytes(Path);
        OnnxWriter.Write(Sum(1), Path, 0);
        Assert.Equal(first, File.ReadAllBytes(Path));
        Assert.Equal(2, _folder.GetFiles().Length);

        OnnxWriter.Write(Sum(2), Path + "2", 0);
        Assert.Equal(4, _folder.GetFiles().Length);
        Assert.Equal(OnnxWriter.ToBytes(Sum(1)), OnnxWriter.ToBytes(OnnxReader.Read(Path)));
    }

    [Fact]
    public void A_model_that_fits_stays_in_one_file()
    {
        OnnxWriter.Write(Sum(1), Path);
        Assert.Empty(ExternalFiles.Of(Path));
        Assert.Single(_folder.GetFiles());
    }

    // The weights lie in an initializer and in an attribute, which is split too.
    private static Model Sum(float seed)
    {
        var model = new Model { Opset = 17 };
        var g = model.Graph;
        var type = TensorType.Of(ElementType.Float, 1000);
        var w = g.AddInitializer("w", Tensor.Vector(Enumerable.Range(0, 1000).Select(i => i * seed).ToArray()));
        var constant = g.AddNode("Constant", [], ["c"]);
        constant.Attributes["value"] = Tensor.Vector(Enumerable.Range(0, 1000).Select(i => i + seed).ToArray());
        var y = g.AddNode("Sum", [g.AddInput("x", type), w, constant.Output], ["y"]).Output;
        y.Type = type;
        g.AddOutput(y);
        return model;
    }
}
