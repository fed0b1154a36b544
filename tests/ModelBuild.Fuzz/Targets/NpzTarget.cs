using ModelBuild.Compression.Data;
using ModelBuild.Onnx;

namespace ModelBuild.Fuzz;

/// <summary>Archives of arrays, and the cutting of arrays into samples.</summary>
internal sealed class NpzTarget : FuzzTarget
{
    private static readonly ModelInterface Interface = new([new("x", "x", ElementType.Float, [null, 3])], [new("y", "y", ElementType.Float, [null, 2])]);

    public override string Name => "npz";

    public override IReadOnlyList<byte[]> Seeds()
    {
        using var file = new TemporaryFile(".npz");
        NpyWriter.WriteNpz(file.Path, [
            new("x", Tensor.Of(new float[30], 10, 3)), new("y", Tensor.Of(new float[20], 10, 2)), new("labels", Tensor.Of(new long[10], 10))]);
        return [File.ReadAllBytes(file.Path)];
    }

    public override void Run(byte[] bytes)
    {
        using var file = new TemporaryFile(".npz");
        File.WriteAllBytes(file.Path, bytes);
        var data = DataLoader.Open([file.Path], Interface, new(), "CalibrationData")!;
        for (var i = 0; i < Math.Min(data.Count, 100); i++)
            _ = data[i];
    }
}
