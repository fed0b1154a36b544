using System.Collections.Immutable;
using ModelBuild.Kernels;
using ModelBuild.Managed;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>
/// Where a value lies in a program: a part of a buffer, or a constant, under any strides. Transpose, Slice, Split, Expand and their like only make another
/// view;
/// nothing is copied until a kernel asks for a layout that a view does not have.
/// </summary>
/// <param name="Base">The buffer, or a constant of raw values.</param>
/// <param name="Offset">The index of the first element in the buffer.</param>
/// <param name="Extents">The value's dimensions.</param>
/// <param name="Strides">Elements from one index to the next along each dimension; 0 where the value is the same along it.</param>
/// <param name="Order">The dimensions in the order in which they lie in memory, outermost first.</param>
/// <param name="Type">The type of the elements.</param>
/// <param name="Border">What lies around an image, ready for a convolution to read.</param>
internal sealed record TensorView(Operand Base, Dimension Offset, ImmutableArray<Dimension> Extents, ImmutableArray<Dimension> Strides,
    ImmutableArray<int> Order,
    ModelElementType Type, Border? Border = null)
{
    public int Rank => Extents.Length;

    public Dimension Elements => Product(Extents);

    /// <summary>Whether the elements lie in row-major order without gaps.</summary>
    public bool IsRowMajor => IsDense([.. Enumerable.Range(0, Rank)]);

    /// <summary>Whether the elements lie without gaps with the dimensions in this order.</summary>
    public bool IsDense(ReadOnlySpan<int> order)
    {
        Dimension next = 1;
        for (var i = order.Length - 1; i >= 0; i--)
        {
            var d = order[i];
            if (Extents[d] == 1)
                continue;
            if (Strides[d] != next)
                return false;
            next *= Extents[d];
        }
        return true;
    }

    /// <summary>A view of a whole buffer whose dimensions lie in this order without gaps.</summary>
    public static TensorView Dense(Operand buffer, ImmutableArray<Dimension> extents, ImmutableArray<int> order, ModelElementType type)
    {
        var strides = new Dimension[extents.Length];
        Dimension next = 1;
        for (var i = order.Length - 1; i >= 0; i--)
        {
            strides[order[i]] = next;
            next *= extents[order[i]];
        }
        return new(buffer, 0, extents, [.. strides], order, type);
    }

    public static Dimension Product(IEnumerable<Dimension> dimensions) => dimensions.Aggregate((Dimension)1, static (a, b) => a * b);
}

/// <summary>Rows and columns around an image that hold one value in memory.</summary>
/// <param name="Top">Rows above.</param>
/// <param name="Left">Columns before.</param>
/// <param name="Bottom">Rows below.</param>
/// <param name="Right">Columns behind.</param>
/// <param name="Value">The byte that all of its bytes are.</param>
internal sealed record Border(long Top, long Left, long Bottom, long Right, byte Value)
{
    public bool Holds(long top, long left, long bottom, long right) => Top >= top && Left >= left && Bottom >= bottom && Right >= right;
}
