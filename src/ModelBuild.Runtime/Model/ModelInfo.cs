using System.Collections.Immutable;
using System.Globalization;

namespace ModelBuild;

/// <summary>What a model declares: names, element types, shapes and profiles. Known without opening a file.</summary>
public sealed class ModelInfo
{
    private readonly ModelDescription _description;

    /// <summary>The information of a described model.</summary>
    /// <param name="description">What the generated class knows.</param>
    public ModelInfo(ModelDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        _description = description;
    }

    /// <summary>The name of the generated class.</summary>
    public string ClassName => _description.ClassName;

    /// <summary>The assembly that the class is compiled into.</summary>
    public string AssemblyName => _description.AssemblyName;

    /// <summary>SHA-256 (lower-case hexadecimal) of the canonical signature.</summary>
    public string SignatureHash => _description.SignatureHash;

    /// <summary>The names of named dimensions; the order in which their sizes are given.</summary>
    public ImmutableArray<string> Symbols => _description.Symbols;

    /// <summary>Inputs in the model's order.</summary>
    public ImmutableArray<TensorInfo> Inputs => _description.Inputs;

    /// <summary>Outputs in the model's order.</summary>
    public ImmutableArray<TensorInfo> Outputs => _description.Outputs;

    /// <summary>The profiles that the item asked for, best first.</summary>
    public ImmutableArray<string> Profiles => _description.Profiles;

    /// <summary>The shape of a tensor as people read it: <c>[batch, 3, 224, 224]</c>; a size that depends on the data is <c>?</c>, an unknown number of
    /// dimensions <c>[...]</c>.</summary>
    /// <param name="tensor">One of <see cref="Inputs"/> or <see cref="Outputs"/>.</param>
    public string ShapeText(TensorInfo tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (tensor.Dimensions.IsDefault) return "[...]";
        return "[" + string.Join(", ", tensor.Dimensions.Select(d =>
            d.Symbol >= 0 ? Symbols[d.Symbol] : d.Size >= 0 ? d.Size.ToString(CultureInfo.InvariantCulture) : "?")) + "]";
    }
}
