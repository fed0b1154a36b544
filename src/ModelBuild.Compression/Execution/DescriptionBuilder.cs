using System.Collections.Immutable;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Execution;

/// <summary>Describes a model to the runtime as a generated class would.</summary>
public static class DescriptionBuilder
{
    /// <summary>The description of a graph's interface.</summary>
    /// <param name="graph">The graph, types known.</param>
    /// <param name="signatureHash">The hash that artifacts carry, or null to describe a model without one.</param>
    /// <exception cref="CompressionException">MDLB1030, MDLB1031: an input or output is of a type that the runtime does not pass, or has none.</exception>
    public static ModelDescription Of(Graph graph, byte[]? signatureHash = null)
    {
        var symbols = new List<string>();
        TensorInfo Info(Value value, bool output)
        {
            if (value.Type is not { } type || !type.HasRank && !output || type.ElementType is ElementType.Undefined or > ElementType.UInt64
                or ElementType.Complex64 or ElementType.Complex128)
                throw Unsupported(value, output);
            // An output need not even say how many dimensions it has: a run tells.
            if (!type.HasRank)
                return new(value.Name, (ModelElementType)(byte)type.ElementType, default);
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

    /// <summary>Why an input or output cannot be passed, in the words and codes of the build.</summary>
    internal static CompressionException Unsupported(Value value, bool output) => value switch
    {
        { NonTensorType: not null } =>
            new(Codes.UnsupportedType,
            $"{(output ? "an output" : "an input")} '{value.Name}' is no tensor. Cut the model before it, or convert it in the model; classifiers of "
            + $"scikit-learn are exported with options={{'zipmap': False}}"),
        { Type: null } or { Type.ElementType: ElementType.Undefined } =>
            new(Codes.UnsupportedType,
            $"{(output ? "an output" : "an input")} '{value.Name}' has no type. Declare it in the model, for example by onnx.shape_inference.infer_shapes "
            + $"when it is exported"),
        { Type.HasRank: false } => new(Codes.UndeclaredShape,
            $"{(output ? "output" : "input")} '{value.Name}' declares no shape, and none can be inferred. Declare its rank in the model; dimensions may be "
            + $"named"),
        _ => new(Codes.UnsupportedType,
            $"{(output ? "an output" : "an input")} '{value.Name}' is of {value.Type.ElementType}, which generated classes do not pass. Convert it in the "
            + $"model"),
    };
}
