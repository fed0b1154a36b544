using System.Collections.Immutable;

namespace ModelBuild;

/// <summary>What a model declares about one input or output.</summary>
/// <param name="Name">The name in the model file.</param>
/// <param name="ElementType">The type of its elements.</param>
/// <param name="Dimensions">Its dimensions, outermost first; <c>default</c> for an output that does not even declare how many it has.</param>
public sealed record TensorInfo(string Name, ModelElementType ElementType, ImmutableArray<ModelDimension> Dimensions)
{
    /// <summary>A tensor of declared dimensions.</summary>
    /// <param name="name">The name in the model file.</param>
    /// <param name="elementType">The type of its elements.</param>
    /// <param name="dimensions">Its dimensions, outermost first; none for a scalar.</param>
    public static TensorInfo Of(string name, ModelElementType elementType, params ModelDimension[] dimensions) => new(name, elementType, [.. dimensions]);
}

/// <summary>One declared dimension: a constant, or a named one whose size each call decides.</summary>
/// <param name="Size">The constant size, or -1 for a named dimension.</param>
/// <param name="Symbol">
/// The index of the named dimension in <see cref="ModelDescription.Symbols"/>, or -1 for a constant. For outputs -1 together with
/// <paramref name="Size"/> -1 means that the size depends on the data.
/// </param>
public readonly record struct ModelDimension(long Size, int Symbol)
{
    /// <summary>A constant dimension.</summary>
    public static ModelDimension Constant(long size) => new(size, -1);

    /// <summary>A named dimension.</summary>
    public static ModelDimension Named(int symbol) => new(-1, symbol);

    /// <summary>A dimension of an output that only a run can tell.</summary>
    public static ModelDimension DataDependent => new(-1, -1);
}
