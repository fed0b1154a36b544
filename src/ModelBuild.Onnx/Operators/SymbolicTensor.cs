using System.Collections.Immutable;

namespace ModelBuild.Onnx;

/// <summary>A small integer tensor whose elements are known as far as they follow from shapes: constants, expressions over named dimensions, or
/// unknown.</summary>
/// <param name="Shape">Its shape.</param>
/// <param name="Elements">Its elements, row-major.</param>
public sealed record SymbolicTensor(ImmutableArray<long> Shape, ImmutableArray<Dimension> Elements)
{
    /// <summary>Larger tensors are not followed.</summary>
    public const int MaxLength = 256;

    /// <summary>A tensor of one dimension.</summary>
    public static SymbolicTensor Vector(ImmutableArray<Dimension> elements) => new([elements.Length], elements);

    /// <summary>A scalar.</summary>
    public static SymbolicTensor Scalar(Dimension element) => new([], [element]);

    /// <summary>Whether every element is a constant.</summary>
    public bool IsConstant => Elements.All(static d => d.IsConstant);

    /// <summary>The elements at positions, under another shape.</summary>
    public SymbolicTensor Select(ImmutableArray<long> shape, ReadOnlySpan<int> positions)
    {
        var selected = ImmutableArray.CreateBuilder<Dimension>(positions.Length);
        foreach (var p in positions)
            selected.Add(Elements[p]);
        return new(shape, selected.MoveToImmutable());
    }
}
