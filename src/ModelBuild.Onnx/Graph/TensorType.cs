using System.Collections.Immutable;

namespace ModelBuild.Onnx;

/// <summary>The type of a value: element type and shape of a tensor. A default <see cref="Shape"/> means that not even the rank is known.</summary>
/// <param name="ElementType">Type of the elements; <see cref="ElementType.Undefined"/> where it is not known.</param>
/// <param name="Shape">Dimensions, outermost first; <c>default</c> where the rank is unknown.</param>
public sealed record TensorType(ElementType ElementType, ImmutableArray<Dimension> Shape)
{
    /// <summary>Whether the number of dimensions is known.</summary>
    public bool HasRank => !Shape.IsDefault;

    /// <summary>The number of dimensions, or -1 where it is unknown.</summary>
    public int Rank => Shape.IsDefault ? -1 : Shape.Length;

    /// <summary>Whether every dimension is a constant.</summary>
    public bool IsStatic => HasRank && Shape.All(static d => d.IsConstant);

    /// <summary>The dimensions as numbers, or null where one is not a constant.</summary>
    public long[]? StaticShape => IsStatic ? Shape.Select(static d => d.Value).ToArray() : null;

    /// <summary>A type with constant dimensions.</summary>
    public static TensorType Of(ElementType elementType, params ReadOnlySpan<long> shape)
    {
        var dims = ImmutableArray.CreateBuilder<Dimension>(shape.Length);
        foreach (var d in shape)
            dims.Add(d);
        return new(elementType, dims.MoveToImmutable());
    }

    /// <inheritdoc/>
    public bool Equals(TensorType? other) => other is not null && ElementType == other.ElementType
        && (Shape.IsDefault ? other.Shape.IsDefault : !other.Shape.IsDefault && Shape.SequenceEqual(other.Shape));

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(ElementType, Rank);

    /// <inheritdoc/>
    public override string ToString() => $"{ElementType}{(HasRank ? $"[{string.Join(',', Shape)}]" : "[...]")}";
}
