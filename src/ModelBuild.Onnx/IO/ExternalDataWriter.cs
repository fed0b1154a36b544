using System.Globalization;
using System.Security.Cryptography;
using ModelBuild.Onnx.Proto;

namespace ModelBuild.Onnx;

/// <summary>
/// Writes large tensors into a file beside the model, aligned so that they can be mapped. The file is named by the hash of its content: a model never finds the
/// weights of another one, even if writing both is broken off in between.
/// </summary>
/// <param name="folder">The model's folder.</param>
internal sealed class ExternalDataWriter(string folder) : IDisposable
{
    // Smaller tensors stay in the model: shape inference of other tools reads them there.
    private const int MinBytes = 1024;
    private const int Alignment = 4096;
    private static readonly byte[] Padding = new byte[Alignment];
    private readonly string _temporary = Path.Combine(folder, $"{Guid.NewGuid():N}.tmp");
    private readonly List<StringStringEntryProto> _locations = [];
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private FileStream? _stream;
    private long _length;

    /// <summary>Writes a tensor, if it is large, and notes in its message where it lies.</summary>
    public bool TryWrite(Tensor tensor, TensorProto proto)
    {
        if (tensor.Bytes.Length < MinBytes)
            return false;
        _stream ??= new(_temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);
        Append(Padding.AsSpan(0, (int)(-_length & (Alignment - 1))));
        proto.DataLocation = TensorProto.Types.DataLocation.External;
        var location = new StringStringEntryProto { Key = "location" };
        _locations.Add(location);
        proto.ExternalData.Add(location);
        proto.ExternalData.Add(new StringStringEntryProto { Key = "offset", Value = _length.ToString(CultureInfo.InvariantCulture) });
        proto.ExternalData.Add(new StringStringEntryProto { Key = "length", Value = tensor.Bytes.Length.ToString(CultureInfo.InvariantCulture) });
        Append(tensor.Bytes.Span);
        return true;
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        _stream!.Write(bytes);
        _hash.AppendData(bytes);
        _length += bytes.Length;
    }

    /// <summary>Ends writing, gives the file its name, and tells it to the messages.</summary>
    public void Complete()
    {
        if (_stream is null)
            return;
        _stream.Flush(true);
        _stream.Dispose();
        var name = $"{Convert.ToHexStringLower(_hash.GetHashAndReset())[..32]}.data";
        File.Move(_temporary, Path.Combine(folder, name), true);
        foreach (var location in _locations)
            location.Value = name;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _hash.Dispose();
        _stream?.Dispose();
        File.Delete(_temporary);
    }
}
