using System.Collections.Immutable;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Data;

/// <summary>
/// An array of a data file. A small one is in memory; a large one stays on disk and is read piece by piece, so that memory does not grow with the number of
/// samples.
/// </summary>
public sealed class NpyArray
{
    private readonly Tensor? _tensor;
    private readonly FileStream? _file;
    private readonly long _offset;

    private NpyArray(ElementType type, ImmutableArray<long> shape, Tensor? tensor, FileStream? file, long offset)
    {
        ElementType = type;
        Shape = shape;
        _tensor = tensor;
        _file = file;
        _offset = offset;
    }

    /// <summary>The type of its elements.</summary>
    public ElementType ElementType { get; }

    /// <summary>Its dimensions.</summary>
    public ImmutableArray<long> Shape { get; }

    /// <summary>How many dimensions it has.</summary>
    public int Rank => Shape.Length;

    /// <summary>An array in memory.</summary>
    public static NpyArray Of(Tensor tensor) => new(tensor.ElementType, tensor.Shape, tensor, null, 0);

    /// <summary>An array of numbers in a file, row-major and little endian; the array keeps the file open.</summary>
    /// <param name="type">The type of its elements.</param>
    /// <param name="shape">Its dimensions.</param>
    /// <param name="file">The file.</param>
    /// <param name="offset">Where its first element lies.</param>
    internal static NpyArray InFile(ElementType type, ImmutableArray<long> shape, FileStream file, long offset) => new(type, shape, null, file, offset);

    /// <summary>The whole array.</summary>
    public Tensor Whole => _tensor ?? Slice(0, Shape);

    /// <summary>A piece of it.</summary>
    /// <param name="first">The piece's first element, counted through the array in row-major order.</param>
    /// <param name="shape">The piece's dimensions.</param>
    /// <exception cref="IOException">The file is gone or has become shorter.</exception>
    public Tensor Slice(long first, ImmutableArray<long> shape)
    {
        var length = Tensor.Count(shape.AsSpan());
        if (ElementType == ElementType.String)
            return new(shape, _tensor!.Strings.Slice((int)first, (int)length).ToArray());
        var bytes = (int)ElementTypes.ByteSize(ElementType, length);
        var offset = ElementTypes.ByteSize(ElementType, first);
        if (_tensor is not null)
            return new(ElementType, shape, _tensor.Bytes.Slice((int)offset, bytes));
        var piece = new byte[bytes];
        for (var read = 0; read < bytes;)
        {
            var n = RandomAccess.Read(_file!.SafeFileHandle, piece.AsSpan(read), _offset + offset + read);
            read += n > 0 ? n : throw new EndOfStreamException($"'{_file.Name}' ends early");
        }
        return new(ElementType, shape, piece);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{ElementType}[{string.Join(',', Shape)}]";
}
