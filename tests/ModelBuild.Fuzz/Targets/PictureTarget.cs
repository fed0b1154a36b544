using ModelBuild.Compression.Data;
using ModelBuild.Onnx;

namespace ModelBuild.Fuzz;

/// <summary>Pictures as calibration data.</summary>
internal sealed class PictureTarget : FuzzTarget
{
    private static readonly ModelInterface Interface = new([new("x", "x", ElementType.Float, [1, 3, 16, 16])], []);

    public override string Name => "picture";

    // The decoder (StbImageSharp) keeps native memory when it throws. A build ends at the first damaged picture; only a fuzzer comes to feel it.
    public override int MaxInputs => 2000;

    public override IReadOnlyList<byte[]> Seeds() => [Pictures.Png(20, 12), Pictures.Bmp(20, 12)];

    public override void Run(byte[] bytes)
    {
        using var file = new TemporaryFile(bytes is [(byte)'B', ..] ? ".bmp" : ".png");
        File.WriteAllBytes(file.Path, bytes);
        _ = DataLoader.Open([file.Path], Interface, new(), "CalibrationData")![0];
    }
}
