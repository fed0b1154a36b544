using System.Collections.Immutable;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Calibration;

/// <summary>Where a value of a changed model comes from: a value of an earlier one, of which some indices are left.</summary>
/// <param name="Value">The earlier model's value, by name.</param>
public sealed record Provenance(string Value)
{
    /// <summary>For each axis that lost something the indices that are left, in the order in which the changed value has them.</summary>
    public ImmutableSortedDictionary<int, ImmutableArray<int>> Kept { get; init; } = ImmutableSortedDictionary<int, ImmutableArray<int>>.Empty;

    /// <summary>What the earlier model's tensor is once only the indices that are left are left.</summary>
    public Tensor Of(Tensor tensor)
    {
        foreach (var (axis, kept) in Kept)
            tensor = Take(tensor, axis, kept.AsSpan());
        return tensor;
    }

    /// <summary>The slices of a tensor at some indices of an axis, in that order.</summary>
    /// <param name="tensor">Of a type that takes whole bytes.</param>
    /// <param name="axis">The axis.</param>
    /// <param name="indices">Which slices.</param>
    public static Tensor Take(Tensor tensor, int axis, ReadOnlySpan<int> indices)
    {
        long outer = 1, inner = 1;
        for (var i = 0; i < axis; i++)
            outer *= tensor.Shape[i];
        for (var i = axis + 1; i < tensor.Rank; i++)
            inner *= tensor.Shape[i];
        var width = (int)(inner * ElementTypes.BitsOf(tensor.ElementType) / 8);
        var size = (int)tensor.Shape[axis];
        var source = tensor.Bytes.Span;
        var bytes = GC.AllocateUninitializedArray<byte>((int)(outer * indices.Length * width));
        for (var o = 0; o < outer; o++)
            for (var i = 0; i < indices.Length; i++)
                source.Slice((o * size + indices[i]) * width, width).CopyTo(bytes.AsSpan((o * indices.Length + i) * width));
        return new(tensor.ElementType, tensor.Shape.SetItem(axis, indices.Length), bytes);
    }
}
