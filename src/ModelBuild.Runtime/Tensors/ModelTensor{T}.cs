using System.Collections.Immutable;

namespace ModelBuild;

/// <summary>A tensor with elements of one type, in row-major order.</summary>
/// <typeparam name="T">A .NET type that an element type has: numbers, <see cref="bool"/>, <see cref="Half"/> or <see cref="string"/>.</typeparam>
public sealed class ModelTensor<T> : ModelTensor
{
    private readonly T[] _elements;

    /// <summary>A tensor over an array, which it takes over.</summary>
    /// <param name="name">The name of the model's input or output.</param>
    /// <param name="shape">The sizes of its dimensions.</param>
    /// <param name="elements">The elements in row-major order.</param>
    /// <exception cref="ArgumentException">The shape asks for another number of elements, or has a negative size.</exception>
    public ModelTensor(string name, ImmutableArray<long> shape, T[] elements) : base(name, shape)
    {
        ArgumentNullException.ThrowIfNull(elements);
        ElementType = ModelElementTypes.Of<T>();
        long count = 1;
        foreach (var size in Shape)
        {
            if (size < 0) throw new ArgumentException($"tensor '{name}': a dimension cannot be {size}", nameof(shape));
            count = checked(count * size);
        }
        if (count != elements.Length) ModelErrors.ThrowLength(name, $"[{string.Join(", ", Shape)}]", elements.Length, nameof(elements));
        _elements = elements;
    }

    /// <summary>A tensor with a copy of elements.</summary>
    /// <param name="name">The name of the model's input or output.</param>
    /// <param name="shape">The sizes of its dimensions.</param>
    /// <param name="elements">The elements in row-major order.</param>
    public ModelTensor(string name, ReadOnlySpan<long> shape, ReadOnlySpan<T> elements) : this(name, [.. shape], elements.ToArray())
    {
    }

    /// <inheritdoc/>
    public override ModelElementType ElementType { get; }

    /// <inheritdoc/>
    public override int Length => _elements.Length;

    /// <summary>The elements in row-major order.</summary>
    public Span<T> Span => _elements;

    /// <summary>The elements in row-major order.</summary>
    public Memory<T> Memory => _elements;

    /// <summary>The array of the elements itself, not a copy.</summary>
    public T[] Array => _elements;

    /// <summary>One element by its row-major position.</summary>
    public ref T this[int position] => ref _elements[position];

    /// <summary>One element by one index per dimension.</summary>
    /// <exception cref="ArgumentException">There are more or fewer indices than dimensions.</exception>
    /// <exception cref="IndexOutOfRangeException">An index is outside its dimension.</exception>
    public ref T this[params ReadOnlySpan<int> indices]
    {
        get
        {
            if (indices.Length != Shape.Length) throw new ArgumentException($"tensor '{Name}' has {Shape.Length} dimensions, {indices.Length} indices were "
                + $"given", nameof(indices));
            long position = 0;
            for (var i = 0; i < indices.Length; i++)
            {
                if ((ulong)indices[i] >= (ulong)Shape[
                    i]) throw new IndexOutOfRangeException($"tensor '{Name}': index {indices[i]} is outside dimension {i} of size {Shape[i]}");
                position = position * Shape[i] + indices[i];
            }
            return ref _elements[position];
        }
    }

    /// <summary>The elements of one item of the leading dimension, such as one sample of a batch.</summary>
    /// <param name="index">The index in the leading dimension.</param>
    /// <exception cref="ArgumentOutOfRangeException">The index is outside the leading dimension, or the tensor is a scalar.</exception>
    public Span<T> Row(int index)
    {
        if (Shape.IsEmpty || (ulong)index >= (ulong)Shape[0]) throw new ArgumentOutOfRangeException(nameof(index));
        var length = _elements.Length / (int)Shape[0];
        return _elements.AsSpan(index * length, length);
    }
}
