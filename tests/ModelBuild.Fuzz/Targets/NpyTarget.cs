using System.Text;
using ModelBuild.Compression.Data;
using ModelBuild.Onnx;

namespace ModelBuild.Fuzz;

/// <summary>Single arrays: numbers and strings.</summary>
internal sealed class NpyTarget : FuzzTarget
{
    public override string Name => "npy";

    public override IReadOnlyList<byte[]> Seeds() =>
    [
        Written(Tensor.Of(new float[24], 2, 3, 4)), Written(Tensor.Of(new long[5], 5)), Written(new([2], ["one", "two"])),
        Replaced(Written(Tensor.Of(new double[6], 2, 3)), "False", "True "), Replaced(Written(Tensor.Of(new int[6], 2, 3)), "<i4", ">i4"),
    ];

    public override void Run(byte[] bytes) => NpyReader.Open(new MemoryStream(bytes), bytes.Length, "array.npy");

    private static byte[] Replaced(byte[] array, string from, string to) =>
        Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(array).Replace(from, to, StringComparison.Ordinal));

    private static byte[] Written(Tensor tensor)
    {
        using var stream = new MemoryStream();
        NpyWriter.Write(stream, tensor);
        return stream.ToArray();
    }
}
