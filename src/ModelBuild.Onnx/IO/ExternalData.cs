using System.Globalization;
using System.IO.MemoryMappedFiles;
using ModelBuild.Onnx.Proto;

namespace ModelBuild.Onnx;

/// <summary>
/// Maps the parts of other files that tensors name. Only files below the model's folder are opened.
/// </summary>
/// <param name="folder">The model's folder, or null where external data is refused.</param>
internal sealed class ExternalData(string? folder) : IDisposable
{
    private readonly Dictionary<string, (MemoryMappedFile Map, long Length)> _files = new(StringComparer.Ordinal);

    /// <summary>The bytes of a tensor. They stay mapped as long as something refers to them.</summary>
    public ReadOnlyMemory<byte> Map(TensorProto tensor, long size, string where)
    {
        string? location = null;
        long offset = 0, length = size;
        foreach (var entry in tensor.ExternalData)
            switch (entry.Key)
            {
                case "location":
                    location = entry.Value;
                    break;
                case "offset":
                    offset = Number(entry.Value, where);
                    break;
                case "length":
                    length = Number(entry.Value, where);
                    break;
            }
        if (string.IsNullOrEmpty(location))
            throw new OnnxException(OnnxErrors.ExternalData, $"{where} has external data without a location");
        if (length != size)
            throw new OnnxException(OnnxErrors.Tensor, $"{where} has {length} bytes of external data; its type and shape take {size}");
        if (size == 0)
            return default;
        var (map, fileLength) = Open(location, where);
        if (offset > fileLength || size > fileLength - offset)
            throw new OnnxException(OnnxErrors.ExternalData, $"{where} lies at {offset} to {offset + size} of '{location}', which has {fileLength} bytes");
        return new MappedMemory(map.CreateViewAccessor(offset, size, MemoryMappedFileAccess.Read), (int)size).Memory;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Views stay valid after their map is closed.
        foreach (var (map, _) in _files.Values)
            map.Dispose();
        _files.Clear();
    }

    private (MemoryMappedFile Map, long Length) Open(string location, string where)
    {
        if (_files.TryGetValue(location, out var known))
            return known;
        if (folder is null)
            throw new OnnxException(OnnxErrors.ExternalData, $"{where} lies in '{location}', but the model was not read from a folder");
        var path = ConfinedPath.Of(folder, location, where);
        try
        {
            var length = new FileInfo(path).Length;
            // An empty file cannot be mapped, and a pipe looks like one.
            if (length == 0)
                throw new OnnxException(OnnxErrors.ExternalData, $"the external data '{location}' of {where} is empty");
            var opened = (MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read), length);
            _files.Add(location, opened);
            return opened;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OnnxException(OnnxErrors.ExternalData, $"the external data '{location}' of {where} cannot be opened: {e.Message}", null, e);
        }
    }

    private static long Number(string text, string where) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var v)
            ? v : throw new OnnxException(OnnxErrors.ExternalData, $"{where} has external data with the offset or length '{text}'");
}
