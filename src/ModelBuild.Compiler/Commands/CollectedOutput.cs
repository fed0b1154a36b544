using System.Collections.Immutable;
using ModelBuild.Compression;
using ModelBuild.Compression.Data;
using ModelBuild.Onnx;

namespace ModelBuild.Compiler.Commands;

/// <summary>
/// One output of all samples, kept on disk until the last sample: only then does it show whether they make one array, and memory does not grow with them.
/// </summary>
/// <param name="name">The output's name.</param>
internal sealed class CollectedOutput(string name) : IDisposable
{
    private readonly FileStream _values = new(
        Path.Combine(WorkingFolder.CreateTemporary().FullName, "values"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1 << 16,
            FileOptions.DeleteOnClose);

    private readonly List<ImmutableArray<long>> _shapes = [];
    private readonly List<Tensor> _strings = [];
    private ElementType _type;

    /// <summary>Adds the output of the next sample.</summary>
    public void Add(Tensor tensor)
    {
        _type = tensor.ElementType;
        if (_type == ElementType.String)
        {
            _strings.Add(tensor);
            return;
        }
        _shapes.Add(tensor.Shape);
        _values.Write(tensor.Bytes.Span);
    }

    /// <summary>
    /// The arrays to write: one for all samples, laid along a leading axis of 1 or else along a new axis; where shapes differ, and for strings, one a sample.
    /// </summary>
    public IEnumerable<KeyValuePair<string, Action<Stream>>> Arrays()
    {
        if (_type == ElementType.String)
            return _strings.Select((s, i) => KeyValuePair.Create<string, Action<Stream>>($"{name}.{i}", stream => NpyWriter.Write(stream, s)));
        if (_shapes.Count == 0)
            return [];
        _values.Position = 0;
        if (_shapes.Any(s => !s.AsSpan().SequenceEqual(_shapes[0].AsSpan())))
            return _shapes.Select((shape, i) => KeyValuePair.Create<string,
                Action<Stream>>($"{name}.{i}", stream => Write(stream, shape, Tensor.Count(shape.AsSpan()))));
        var all = _shapes[0].Length > 0 && _shapes[0][0] == 1 ? _shapes[0].SetItem(0, _shapes.Count) : _shapes[0].Insert(0, _shapes.Count);
        return [KeyValuePair.Create<string, Action<Stream>>(name, stream => Write(stream, all, Tensor.Count(all.AsSpan())))];
    }

    // Arrays are written in the order in which their values lie in the file.
    private void Write(Stream stream, ImmutableArray<long> shape, long elements)
    {
        NpyWriter.WriteHeader(stream, _type, shape.AsSpan());
        var buffer = new byte[1 << 16];
        for (var left = ElementTypes.ByteSize(_type, elements); left > 0;)
        {
            var part = buffer.AsSpan(0, (int)Math.Min(left, buffer.Length));
            _values.ReadExactly(part);
            stream.Write(part);
            left -= part.Length;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _values.Dispose();
}
