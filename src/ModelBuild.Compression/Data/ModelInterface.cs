using System.Collections.Immutable;
using ModelBuild.Onnx;
using ModelBuild.Shared;

namespace ModelBuild.Compression.Data;

/// <summary>An input or output of a model, as data is fitted to it.</summary>
/// <param name="Name">The name in the model.</param>
/// <param name="CSharpName">The name that the generated class gives it.</param>
/// <param name="ElementType">Type of its elements.</param>
/// <param name="Dimensions">Its dimensions; null where one is not a constant.</param>
public sealed record ModelPort(string Name, string CSharpName, ElementType ElementType, ImmutableArray<long?> Dimensions)
{
    /// <summary>Type and shape, for messages.</summary>
    public string Describe() =>
        $"({ElementType}[{string.Join(',', Dimensions.Select(d => d?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "?"))}])";

    /// <summary>Whether expected values of a type can be compared with this output.</summary>
    /// <param name="expected">The type of the expected values.</param>
    internal bool IsComparable(ElementType expected) => ElementType == ElementType.Undefined || expected == ElementType
        || ElementTypes.IsFloat(expected) && ElementTypes.IsFloat(ElementType) || ElementTypes.IsInteger(expected) && ElementTypes.IsInteger(ElementType);
}

/// <summary>The inputs (without initializers) and outputs of a model.</summary>
/// <param name="Inputs">Inputs in order.</param>
/// <param name="Outputs">Outputs in order.</param>
public sealed record ModelInterface(IReadOnlyList<ModelPort> Inputs, IReadOnlyList<ModelPort> Outputs)
{
    /// <summary>The interface of a graph.</summary>
    /// <param name="graph">The graph.</param>
    public static ModelInterface Of(Graph graph)
    {
        ModelPort Port(Value v) => new(v.Name, CSharpNames.CamelCase(CSharpNames.PascalCase(v.Name, "Tensor")), v.Type?.ElementType ?? ElementType.Undefined,
            v.Type is { HasRank: true } t ? [.. t.Shape.Select(d => d.IsConstant ? d.Value : (long?)null)] : []);
        return new([.. graph.Inputs.Where(i => i.Constant is null).Select(Port)], [.. graph.Outputs.Select(Port)]);
    }
}
