using System.Globalization;
using ModelBuild.Onnx.Proto;

namespace ModelBuild.Onnx;

/// <summary>Writes large tensors into a file beside the model, aligned so that they can be mapped.</summary>
/// <param name="path">The file to make.</param>
/// <param name="temporary">The file to write until all is complete.</param>
internal sealed class ExternalDataWriter(string path, string temporary) : IDisposable
{
    // Smaller tensors stay in the model: shape inference of other tools reads them there.
    private const int MinBytes = 1024;
    private const int Alignment = 4096;
    private readonly FileStream _stream = new(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);

    public bool TryWrite(Tensor tensor, TensorProto proto)
    {
        if (tensor.Bytes.Length < MinBytes)
            return false;
        _stream.Position = (_stream.Position + Alignment - 1) / Alignment * Alignment;
        proto.DataLocation = TensorProto.Types.DataLocation.External;
        Add("location", Path.GetFileName(path));
        Add("offset", _stream.Position.ToString(CultureInfo.InvariantCulture));
        Add("length", tensor.Bytes.Length.ToString(CultureInfo.InvariantCulture));
        _stream.Write(tensor.Bytes.Span);
        return true;

        void Add(string key, string value) => proto.ExternalData.Add(new StringStringEntryProto { Key = key, Value = value });
    }

    /// <summary>Ends writing.</summary>
    public void Complete()
    {
        _stream.Flush(true);
        _stream.Dispose();
    }

    /// <summary>Gives the file its name.</summary>
    public void Commit() => File.Move(temporary, path, true);

    /// <inheritdoc/>
    public void Dispose()
    {
        _stream.Dispose();
        File.Delete(temporary);
    }
}
