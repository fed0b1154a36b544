using ModelBuild.Onnx;

namespace ModelBuild.Fuzz;

/// <summary>Files of one TensorProto, as ONNX test data has them.</summary>
internal sealed class TensorFileTarget : FuzzTarget
{
    public override string Name => "tensor";

    // TensorProto: dims (1), data_type (2), float_data (4), int32_data (5), int64_data (7), name (8), raw_data (9), external_data (13), data_location (14).
    public override IReadOnlyList<byte[]> Seeds() =>
    [
        [0x08, 2, 0x08, 2, 0x10, 1, 0x42, 1, (byte)'x', 0x4A, 16, .. new byte[16]],
        [0x08, 3, 0x10, 7, 0x3A, 3, 1, 2, 3],
        [0x08, 3, 0x10, 22, 0x2A, 2, 0x21, 0x03],
        [0x08, 2, 0x10, 8, 0x32, 1, (byte)'a', 0x32, 2, (byte)'b', (byte)'c'],
        [0x08, 1, 0x10, 1, 0x6A, 15, 0x0A, 8, .. "location"u8, 0x12, 3, .. "a.b"u8, 0x70, 1],
    ];

    public override void Run(byte[] bytes)
    {
        using var file = new TemporaryFile(".pb");
        File.WriteAllBytes(file.Path, bytes);
        TensorFile.Read(file.Path);
    }
}
