using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using ModelBuild.Shared;

namespace ModelBuild.Compression.Planning;

/// <summary>
/// The larger tensors of plans by the hash of their bytes, each once, whatever profiles and steps refer to it: in memory, and as a file beside the lock file.
/// Little endian: <c>MDLBTENS</c>, format, count (32 bits each), for each tensor in the order of hashes 32 bytes of SHA-256, offset and length (64 bits each),
/// then the bytes, each from a multiple of 64 on.
/// </summary>
public sealed class PlanTensors
{
    /// <summary>The number of the format.</summary>
    public const int Format = 1;

    private const int Header = 16, Row = 48, Alignment = 64;

    private readonly SortedDictionary<string, ReadOnlyMemory<byte>> _tensors = new(StringComparer.Ordinal);
    private string? _path;

    /// <summary>The file of tensors of a model's lock file.</summary>
    /// <param name="model">The path of the model.</param>
    public static string PathOf(string model) => LockFileName.TensorsOf(model);

    /// <summary>How many tensors there are.</summary>
    public int Count => _tensors.Count;

    /// <summary>Adds a tensor.</summary>
    public void Add(PlanTensor tensor) => _tensors[tensor.Hash] = tensor.Value.Bytes;

    /// <summary>The bytes of a hash.</summary>
    /// <exception cref="CompressionException">MDLB2043: there are none, or they are others.</exception>
    public ReadOnlyMemory<byte> Get(string hash)
    {
        if (!_tensors.TryGetValue(hash, out var bytes))
            throw Missing(hash, _path);
        return Convert.ToHexStringLower(SHA256.HashData(bytes.Span)) == hash ? bytes
            : throw Refused(_path, $"the bytes of the tensor {hash} are others than when it was written");
    }

    /// <summary>Reads a file; none where there is no such file.</summary>
    /// <exception cref="CompressionException">MDLB2043: the file is damaged, or of a newer version.</exception>
    public static PlanTensors Read(string path)
    {
        var read = new PlanTensors { _path = path };
        if (!File.Exists(path))
            return read;
        var file = File.ReadAllBytes(path);
        if (file.Length < Header || !file.AsSpan(0, 8).SequenceEqual("MDLBTENS"u8))
            throw Refused(path, "it is no file of tensors");
        if (BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(8)) is var format and not Format)
            throw Refused(path, $"its format is {format}, this version of ModelBuild reads {Format}");
        var count = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(12));
        if (count < 0 || Header + (long)count * Row > file.Length)
            throw Refused(path, "it breaks off");
        for (var i = 0; i < count; i++)
        {
            var row = file.AsSpan(Header + i * Row, Row);
            var (offset, length) = (BinaryPrimitives.ReadInt64LittleEndian(row[32..]), BinaryPrimitives.ReadInt64LittleEndian(row[40..]));
            if (offset < 0 || length < 0 || offset > file.Length || length > file.Length - offset)
                throw Refused(path, "it breaks off");
            read._tensors[Convert.ToHexStringLower(row[..32])] = file.AsMemory((int)offset, (int)length);
        }
        return read;
    }

    /// <summary>Takes over the tensors that some JSON refers to.</summary>
    /// <param name="json">Anything that holds plans.</param>
    /// <param name="from">Where they are; what is not there is left out.</param>
    public void TakeReferenced(JsonElement json, PlanTensors from)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var property in json.EnumerateObject())
                    if (property.NameEquals(PlanTensorConverter.Reference) && property.Value.ValueKind == JsonValueKind.String)
                    {
                        if (from._tensors.TryGetValue(property.Value.GetString()!, out var bytes))
                            _tensors[property.Value.GetString()!] = bytes;
                    }
                    else
                    {
                        TakeReferenced(property.Value, from);
                    }
                break;
            case JsonValueKind.Array:
                foreach (var item in json.EnumerateArray())
                    TakeReferenced(item, from);
                break;
        }
    }

    /// <summary>The file's content; equal tensors give equal bytes.</summary>
    public byte[] ToBytes()
    {
        static int Aligned(long at) => checked((int)((at + Alignment - 1) / Alignment * Alignment));
        var offsets = new List<int>();
        var end = Header + _tensors.Count * Row;
        foreach (var bytes in _tensors.Values)
        {
            offsets.Add(Aligned(end));
            end = checked(offsets[^1] + bytes.Length);
        }
        var file = new byte[end];
        "MDLBTENS"u8.CopyTo(file);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(8), Format);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(12), _tensors.Count);
        foreach (var ((hash, bytes), i) in _tensors.Select((t, i) => (t, i)))
        {
            var row = file.AsSpan(Header + i * Row, Row);
            Convert.FromHexString(hash).CopyTo(row);
            BinaryPrimitives.WriteInt64LittleEndian(row[32..], offsets[i]);
            BinaryPrimitives.WriteInt64LittleEndian(row[40..], bytes.Length);
            bytes.Span.CopyTo(file.AsSpan(offsets[i]));
        }
        return file;
    }

    internal static CompressionException Missing(string hash, string? path) => Refused(path, $"the tensor {hash} of a plan is not there");

    private static CompressionException Refused(string? path, string what) => new(Codes.LockTensorsDamaged,
        $"{(path is null ? "the plan's tensors cannot be read" : $"'{path}' cannot be read")}: {what}. "
        + "Restore the file from version control together with the lock file, or build once with ModelBuildLockFile=true and without ModelBuildLockedMode");
}
