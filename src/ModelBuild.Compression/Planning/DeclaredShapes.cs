using System.Collections.Immutable;
using System.Globalization;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Planning;

/// <summary>
/// Holds samples against what a model declares of its inputs and outputs. Runtimes do not: a declared output shape may be stale, and one name may stand for two sizes. Nothing that ships
/// rests on such declarations, but the generated class and other readers of the file take its types from them.
/// </summary>
public static class DeclaredShapes
{
    /// <summary>The code of <see cref="Finding"/>.</summary>
    public const string Code = "MDLB2030";

    /// <summary>What one sample contradicts, one line for each dimension; empty where all is as declared.</summary>
    /// <param name="graph">The original graph, types as declared or inferred (<see cref="ModelSource.Original"/>).</param>
    /// <param name="inputs">The sample's inputs by name; those that the graph does not have are passed over.</param>
    /// <param name="outputs">What the original answered, by name; likewise.</param>
    public static IEnumerable<string> Contradictions(Graph graph, IReadOnlyDictionary<string, Tensor> inputs, IReadOnlyDictionary<string, Tensor> outputs)
    {
        var named = new Dictionary<string, (long Size, string Value)>(StringComparer.Ordinal);
        var given = graph.Inputs.Select(v => (Kind: "input", Value: v, Tensor: inputs.GetValueOrDefault(v.Name)));
        var answered = graph.Outputs.Distinct().Select(v => (Kind: "output", Value: v, Tensor: outputs.GetValueOrDefault(v.Name)));
        foreach (var (kind, value, tensor) in given.Concat(answered))
        {
            if (tensor is null || value.Type is not { HasRank: true } type)
                continue;
            if (tensor.Rank != type.Rank)
            {
                yield return $"{kind} '{value.Name}' has {tensor.Rank} dimensions ({Text(tensor.Shape)}), the model declares {type.Rank} ([{string.Join(',', type.Shape)}])";
                continue;
            }
            for (var i = 0; i < type.Rank; i++)
            {
                var (declared, size) = (type.Shape[i], tensor.Shape[i]);
                if (declared.IsConstant && declared.Value != size)
                    yield return $"{kind} '{value.Name}' has the shape {Text(tensor.Shape)}, the model declares {declared} for dimension {i}";
                else if (declared.Name is { } name && !named.TryAdd(name, (size, value.Name)) && named[name] is var (earlier, place) && earlier != size)
                    yield return $"{kind} '{value.Name}' has the shape {Text(tensor.Shape)}: the dimension '{name}' is {size} there and {earlier} in '{place}'";
            }
        }
    }

    /// <summary>The warning about contradictions that were found.</summary>
    /// <param name="contradictions">What samples contradict, at least one.</param>
    public static Finding Finding(IReadOnlyCollection<string> contradictions)
    {
        var others = contradictions.Distinct(StringComparer.Ordinal).Count() - 1;
        return new(Severity.Warning, Code, $"the model does not keep the shapes that it declares: {contradictions.First()}{(others > 0 ? $" (and {others} more)" : "")}. "
            + "What ships is right all the same; declare dimensions that vary by names of their own when the model is exported");
    }

    private static string Text(ImmutableArray<long> shape) => $"[{string.Join(',', shape.Select(static d => d.ToString(CultureInfo.InvariantCulture)))}]";
}
