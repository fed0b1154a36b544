using System.Collections.Immutable;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Execution;

/// <summary>Describes a model to the runtime as a generated class would.</summary>
public static class DescriptionBuilder
{
    /// <summary>The description of a graph's interface.</summary>
    /// <param name="graph">The graph, types known.</param>
    /// <param name="signatureHash">The hash that artifacts carry, or null to describe a model without one.</param>
    /// <exception cref="CompressionException">MDLB1122: an input or output is of a type that the runtime does not pass.</exception>
    public static ModelDescription Of(Graph graph, byte[]? signatureHash = null)
    {
        var symbols = new List<string>();
        TensorInfo Info(Value value, bool output)
        {
            if (value.Type is not { HasRank: true } type || type.ElementType is ElementType.Undefined or > ElementType.UInt64 or ElementType.Complex64 or ElementType.Complex128)
                throw new CompressionException("MDLB1122", $"'{value.Name}' ({value.Type?.ToString() ?? "no tensor"}) cannot be passed to or from the model");
            var dimensions = type.Shape.Select(d =>
            {
                if (d.IsConstant)
                    return ModelDimension.Constant(d.Value);
                var name = d.Name ?? (output ? null : $"dim{symbols.Count}");
                var index = name is null ? -1 : symbols.IndexOf(name);
                if (index < 0 && output)
                    return ModelDimension.DataDependent;
                if (index < 0)
                {
                    index = symbols.Count;
                    symbols.Add(name!);
                }
                return ModelDimension.Named(index);
            });
            return new(value.Name, (ModelElementType)(byte)type.ElementType, [.. dimensions]);
        }
        var inputs = graph.Inputs.Where(i => i.Constant is null).Select(i => Info(i, false)).ToImmutableArray();
        var outputs = graph.Outputs.Select(o => Info(o, true)).ToImmutableArray();
        return new()
        {
            ClassName = "Model",
            AssemblyName = "modelbuild",
            SignatureHash = signatureHash is null ? "" : Convert.ToHexStringLower(signatureHash),
            Symbols = [.. symbols],
            Inputs = inputs,
            Outputs = outputs,
            Profiles = [],
        };
    }
}
