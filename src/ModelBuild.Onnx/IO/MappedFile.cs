using System.IO.MemoryMappedFiles;

namespace ModelBuild.Onnx;

/// <summary>A whole model file as memory, without reading what nobody looks at.</summary>
internal static unsafe class MappedFile
{
    /// <summary>What is done with the content.</summary>
    public delegate T Use<out T>(ReadOnlySpan<byte> content);

    /// <summary>Maps a file while its content is used.</summary>
    /// <exception cref="OnnxException">The file cannot be opened, is empty, or has 2 GB or more.</exception>
    public static T Read<T>(string path, Use<T> use)
    {
        try
        {
            var length = LengthOf(path);
            if (length == 0)
                throw new OnnxException(OnnxErrors.FileEmpty, $"the model '{path}' is an empty file");
            if (length > int.MaxValue)
                throw new OnnxException(OnnxErrors.TooLarge,
                    $"the model '{path}' is larger than 2 GB, which its format does not allow; weights of that size belong into external data");
            using var map = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
            using var view = map.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
            byte* start = null;
            view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
            try
            {
                return use(new ReadOnlySpan<byte>(start + view.PointerOffset, (int)length));
            }
            finally
            {
                view.SafeMemoryMappedViewHandle.ReleasePointer();
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NotReadable(path, e);
        }
    }

    private static long LengthOf(string path)
    {
        try
        {
            return new FileInfo(path).Length;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw NotReadable(path, e);
        }
    }

    private static OnnxException NotReadable(string path, Exception e) => new(OnnxErrors.FileNotReadable, $"the model '{path}' cannot be opened: {e.Message}",
        null, e);
}
