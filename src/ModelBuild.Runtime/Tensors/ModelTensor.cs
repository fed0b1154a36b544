using System.Collections.Immutable;

namespace ModelBuild;

/// <summary>A tensor that owns its elements: an output of a call, or an input of an untyped one. Its elements are in <see cref="ModelTensor{T}"/>.</summary>
public abstract class ModelTensor
{
    private protected ModelTensor(string name, ImmutableArray<long> shape)
    {
        ArgumentNullException.ThrowIfNull(name);
        Name = name;
        Shape = shape.IsDefault ? [] : shape;
    }

    /// <summary>The name in the model file.</summary>
    public string Name { get; }

    /// <summary>The sizes of its dimensions, outermost first; empty for a scalar.</summary>
    public ImmutableArray<long> Shape { get; }

    /// <summary>The type of its elements.</summary>
    public abstract ModelElementType ElementType { get; }

    /// <summary>The number of elements.</summary>
    public abstract int Length { get; }

    /// <summary>The elements, if they are of the type asked for.</summary>
    /// <exception cref="InvalidOperationException">They are of another type.</exception>
    public ModelTensor<T> As<T>()
    {
        if (this is not ModelTensor<T> typed)
        {
            ModelErrors.ThrowElementType(Name, ElementType, typeof(T));
            return null;
        }
        return typed;
    }

    /// <summary>Name, element type and shape.</summary>
    public override string ToString() => $"{Name}: {ElementType}[{string.Join(", ", Shape)}]";
}
