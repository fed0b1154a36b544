using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ModelBuild.Onnx;

/// <summary>
/// An immutable tensor: element type, shape, and row-major data. The data is little-endian raw storage as ONNX defines it
/// (types below 8 bits packed, the first element in the low bits), or an array of strings.
/// </summary>
/// <remarks>Tensors share their storage freely: whoever wants to change one makes a new one.</remarks>
public sealed class Tensor
{
    private readonly ReadOnlyMemory<byte> _bytes;
    private readonly string[]? _strings;

    /// <summary>A tensor over raw storage.</summary>
    /// <param name="elementType">Type of the elements, not string.</param>
    /// <param name="shape">Dimensions, none negative.</param>
    /// <param name="bytes">Raw storage of exactly the size that type and shape ask for. Not copied; must not change afterwards.</param>
    /// <exception cref="ArgumentException">The sizes do not fit each other.</exception>
    public Tensor(ElementType elementType, ImmutableArray<long> shape, ReadOnlyMemory<byte> bytes)
    {
        ElementType = elementType;
        Shape = shape;
        Length = Count(shape.AsSpan());
        if (ElementTypes.BitsOf(elementType) == 0)
            throw new ArgumentException($"a tensor of {elementType} has no raw storage", nameof(elementType));
        if (ElementTypes.ByteSize(elementType, Length) != bytes.Length)
            throw new ArgumentException($"{elementType}[{string.Join(',', shape)}] takes {ElementTypes.ByteSize(elementType, Length)} bytes, not "
                + $"{bytes.Length}", nameof(bytes));
        _bytes = bytes;
    }

    /// <summary>A tensor of strings.</summary>
    public Tensor(ImmutableArray<long> shape, string[] strings)
    {
        ElementType = ElementType.String;
        Shape = shape;
        Length = Count(shape.AsSpan());
        if (Length != strings.Length)
            throw new ArgumentException($"String[{string.Join(',', shape)}] takes {Length} strings, not {strings.Length}", nameof(strings));
        _strings = strings;
    }

    /// <summary>A tensor over a copy-free view of an array.</summary>
    public static Tensor Of<T>(T[] data, params ReadOnlySpan<long> shape) where T : unmanaged =>
        new(TypeOf<T>(), [.. shape], new ArrayBytes<T>(data).Memory);

    /// <summary>A scalar.</summary>
    public static Tensor Scalar<T>(T value) where T : unmanaged => Of(new[] { value });

    /// <summary>A tensor of one dimension.</summary>
    public static Tensor Vector<T>(params T[] values) where T : unmanaged => Of(values, values.Length);

    /// <summary>Type of the elements.</summary>
    public ElementType ElementType { get; }

    /// <summary>Dimensions, outermost first.</summary>
    public ImmutableArray<long> Shape { get; }

    /// <summary>Number of dimensions.</summary>
    public int Rank => Shape.Length;

    /// <summary>Number of elements.</summary>
    public long Length { get; }

    /// <summary>The raw storage. Empty for strings.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes;

    /// <summary>The strings.</summary>
    /// <exception cref="InvalidOperationException">The tensor is not one of strings.</exception>
    public ReadOnlySpan<string> Strings => _strings ?? throw new InvalidOperationException($"a tensor of {ElementType} has no strings");

    /// <summary>The elements as <typeparamref name="T"/>, whose size must be that of the element type.</summary>
    /// <exception cref="InvalidOperationException">The sizes differ.</exception>
    public ReadOnlySpan<T> Span<T>() where T : unmanaged
    {
        if (ElementTypes.BitsOf(ElementType) != 8 * Unsafe.SizeOf<T>())
            throw new InvalidOperationException($"a tensor of {ElementType} cannot be read as {typeof(T).Name}");
        return MemoryMarshal.Cast<byte, T>(_bytes.Span);
    }

    /// <summary>A copy of the elements as an array.</summary>
    public T[] ToArray<T>() where T : unmanaged => Span<T>().ToArray();

    /// <summary>The same data under another shape with as many elements.</summary>
    public Tensor Reshape(params ReadOnlySpan<long> shape) =>
        _strings is null ? new(ElementType, [.. shape], _bytes) : new([.. shape], _strings);

    /// <summary>The type with constant dimensions.</summary>
    public TensorType Type => TensorType.Of(ElementType, Shape.AsSpan());

    /// <summary>The number of elements of a shape.</summary>
    /// <exception cref="ArgumentException">A dimension is negative or the product overflows.</exception>
    public static long Count(ReadOnlySpan<long> shape)
    {
        long n = 1;
        foreach (var d in shape)
        {
            if (d < 0)
                throw new ArgumentException($"negative dimension {d}");
            if (Math.BigMul(n, d, out var low) != 0 || low < 0)
                throw new ArgumentException("the number of elements overflows");
            n = low;
        }
        return n;
    }

    /// <summary>The element type whose raw storage is <typeparamref name="T"/>.</summary>
    public static ElementType TypeOf<T>() where T : unmanaged =>
        typeof(T) == typeof(float) ? ElementType.Float
        : typeof(T) == typeof(double) ? ElementType.Double
        : typeof(T) == typeof(Half) ? ElementType.Float16
        : typeof(T) == typeof(sbyte) ? ElementType.Int8
        : typeof(T) == typeof(byte) ? ElementType.UInt8
        : typeof(T) == typeof(short) ? ElementType.Int16
        : typeof(T) == typeof(ushort) ? ElementType.UInt16
        : typeof(T) == typeof(int) ? ElementType.Int32
        : typeof(T) == typeof(uint) ? ElementType.UInt32
        : typeof(T) == typeof(long) ? ElementType.Int64
        : typeof(T) == typeof(ulong) ? ElementType.UInt64
        : typeof(T) == typeof(bool) ? ElementType.Bool
        : throw new NotSupportedException($"no element type is stored as {typeof(T).Name}");

    /// <inheritdoc/>
    public override string ToString() => $"{ElementType}[{string.Join(',', Shape)}]";

    /// <summary>Shows an array of numbers as memory of bytes, without a copy.</summary>
    private sealed class ArrayBytes<T>(T[] data) : System.Buffers.MemoryManager<byte> where T : unmanaged
    {
        public override Span<byte> GetSpan() => MemoryMarshal.AsBytes(data.AsSpan());

        public override unsafe System.Buffers.MemoryHandle Pin(int elementIndex = 0)
        {
            var handle = GCHandle.Alloc(data, GCHandleType.Pinned);
            return new((byte*)handle.AddrOfPinnedObject() + elementIndex, handle, this);
        }

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
