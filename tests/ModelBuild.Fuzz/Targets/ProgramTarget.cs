using System.Buffers.Binary;
using System.Security.Cryptography;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Planning;
using ModelBuild.Managed;
using ModelBuild.Zoo;

namespace ModelBuild.Fuzz;

/// <summary>Managed artifacts: reading, planning and running. The kernels trust what the checks before them let through, so this must not crash.</summary>
internal sealed class ProgramTarget : FuzzTarget
{
    public override string Name => "program";

    // Small ones of every kind of kernel: most of a large artifact is weights, in which a change does nothing.
    private static readonly string[] Models = ["hand_keypoint", "own_mnist_cnn_bn", "own_mnist_lstm", "own_mnist_vit", "mnist8", "kws_dscnn", "g2p_gru", "dtln_2",
        "blazeface", "ppocr_cls", "magika_v33", "forecast_gru"];

    public override IReadOnlyList<byte[]> Seeds() =>
        [File.ReadAllBytes(Path.Combine(SharedFolder.Repository, "tests", "ModelBuild.Runtime.Tests", "Program", "golden-2.modelbuild")),
            .. Models.Where(ZooModel.All.Contains).Select(Lowered).OfType<byte[]>()];

    private static byte[]? Lowered(string name)
    {
        var source = ModelSource.Open(ZooModel.Open(name).Model, new Dictionary<string, long>());
        return ManagedLowering.TryLower(source.Simplified ?? source.Original, new byte[32], null, out var artifact, out _) ? artifact : null;
    }

    /// <summary>Writes the hash of the changed program into the header, or every change would end there.</summary>
    public override byte[] Repair(byte[] bytes, Random random)
    {
        // The first section is the program: its entry stands at 128, behind a tag of 8 bytes.
        if (bytes.Length < 152 || random.Next(8) == 0)
            return bytes;
        var offset = BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(136));
        var length = BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(144));
        if (offset < 128 || length <= 0 || offset > bytes.Length || length > bytes.Length - offset)
            return bytes;
        for (var changes = random.Next(4); changes > 0; changes--)
            bytes[offset + random.NextInt64(length)] ^= (byte)(1 << random.Next(8));
        SHA256.HashData(bytes.AsSpan((int)offset, (int)length)).CopyTo(bytes, 48);
        return bytes;
    }

    public override void Run(byte[] bytes)
    {
        using var artifact = ModelArtifact.FromStream("program", "portable", () => new MemoryStream(bytes));
        using var session = ManagedBackend.Instance.Open(artifact, ManagedBackend.Describe(artifact), new ModelOptions { MaxActivationBytes = 64 << 20 });
        using var context = session.CreateContext();
        var symbols = new long[ManagedBackend.ReadProgram(artifact).Symbols.Length];
        Array.Fill(symbols, 2);
        try
        {
            context.Prepare(symbols);
        }
        catch (ArgumentException)
        {
            // The model has no such sizes: the caller's mistake, not the file's.
            return;
        }
        try
        {
            context.Run();
        }
        catch (IndexOutOfRangeException)
        {
            // An index that an input gives lies outside its axis, or a program that reads its indices from elsewhere.
        }
    }
}
