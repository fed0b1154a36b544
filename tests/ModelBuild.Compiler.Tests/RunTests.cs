using ModelBuild.Compression.Data;
using ModelBuild.Onnx;

namespace ModelBuild.Compiler.Tests;

/// <summary>The command <c>run</c> on models of every form.</summary>
public sealed class RunTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("modelbuild-run-");

    public void Dispose() => _folder.Delete(true);

    private string InFolder(string name) => Path.Combine(_folder.FullName, name);

    [Theory]
    [InlineData("npz")]
    [InlineData("pb")]
    public async Task An_output_that_is_listed_twice_is_written_once(string data)
    {
        var model = new Model { Opset = 17 };
        var x = model.Graph.AddInput("x", TensorType.Of(ElementType.Float, 1, 3));
        var y = model.Graph.AddNode("Neg", [x], ["y"]).Output;
        y.Type = x.Type;
        model.Graph.AddOutput(y);
        model.Graph.AddOutput(y);
        OnnxWriter.Write(model, InFolder("model.onnx"));
        NpyWriter.WriteNpz(InFolder("x.npz"), [new("x", Tensor.Of(new[] { 1f, 2, 3, 4, 5, 6 }, 2, 3))]);
        if (data == "pb")
        {
            // A folder as ONNX test data has them, with the expected values of both places.
            Directory.CreateDirectory(InFolder("pb/test_data_set_0"));
            foreach (var (name, values) in new[] { ("input_0", new float[] { 1, 2, 3 }), ("output_0", [-1, -2, -3]), ("output_1", [-1, -2, -3]) })
                await File.WriteAllBytesAsync(InFolder($"pb/test_data_set_0/{name}.pb"), Proto(values));
        }

        var result = await Cli.Run("run", InFolder("model.onnx"), "--inputs", InFolder(data == "pb" ? "pb" : "x.npz"), "--outputs", InFolder("out.npz"));

        Assert.True(result.ExitCode == 0, result.Error);
        var outputs = NpzReader.Read(InFolder("out.npz"));
        Assert.Equal(["y"], outputs.Keys);
        Assert.Equal(-1, outputs["y"].Whole.ToArray<float>()[0]);
    }

    /// <summary>A TensorProto of floats of one row.</summary>
    private static byte[] Proto(float[] values) => [0x08, 1, 0x08, (byte)values.Length, 0x10, 1, 0x4A, (byte)(4 * values.Length),
        .. values.SelectMany(BitConverter.GetBytes)];
}
