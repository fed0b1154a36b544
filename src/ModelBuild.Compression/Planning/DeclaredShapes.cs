using System.Collections.Immutable;
using System.Globalization;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Planning;

/// <summary>
/// Holds samples against what a model declares of its inputs and outputs. Runtimes do not: a declared output shape may be stale, and one name may stand for two
/// sizes. Nothing that ships rests on such declarations, but the generated class and other readers of the file take its types from them.
/// </summary>
/// <param name="original">The original, types as declared or inferred (<see cref="ModelSource.Original"/>).</param>
public sealed class DeclaredShapes(Model original)
{
    /// <summary>The code of <see cref="Finding"/>.</summary>
    public const string Code = Codes.ShapesContradicted;

    // More are not counted.
    private const int Most = 100;
    private readonly List<string> _contradictions = [];
    private bool? _areProven;

    /// <summary>Whether every output has the shape that it declares wherever the inputs have theirs.</summary>
    public bool AreProven => _areProven ??= Prove();

    /// <summary>What samples contradict, each once, in the order in which it was found; empty where all is as declared.</summary>
    public IReadOnlyList<string> Contradictions => _contradictions;

    /// <summary>The warning about what was found, or null.</summary>
    public Finding? Finding => _contradictions.Count == 0 ? null : new(Severity.Warning, Code,
        $"the model does not keep the shapes that it declares: "
            + $"{_contradictions[0]}{(_contradictions.Count > 1 ? $" (and {_contradictions.Count - 1} more)" : "")}. "
        + "What ships is right all the same; declare dimensions that vary by names of their own when the model is exported");

    /// <summary>Looks at a sample that nothing else asks the original about; it is asked only where an output could have another shape than it
    /// declares.</summary>
    /// <param name="sample">The sample.</param>
    /// <param name="runner">Runs the original.</param>
    public void Look(Sample sample, IModelRunner runner)
    {
        IReadOnlyDictionary<string, Tensor> outputs = ImmutableDictionary<string, Tensor>.Empty;
        try
        {
            if (!AreProven)
                outputs = runner.Run(sample.Inputs);
        }
        catch (CompressionException)
        {
            // What the original does not run is told by who needs its answer.
        }
        Look(sample.Inputs, outputs);
    }

    /// <summary>Looks at one sample.</summary>
    /// <param name="inputs">The sample's inputs by name; those that the model does not have are passed over.</param>
    /// <param name="outputs">What the original answered, by name; likewise.</param>
    public void Look(IReadOnlyDictionary<string, Tensor> inputs, IReadOnlyDictionary<string, Tensor> outputs)
    {
        foreach (var contradiction in Found(inputs, outputs))
            if (_contradictions.Count < Most && !_contradictions.Contains(contradiction))
                _contradictions.Add(contradiction);
    }

    private IEnumerable<string> Found(IReadOnlyDictionary<string, Tensor> inputs, IReadOnlyDictionary<string, Tensor> outputs)
    {
        var named = new Dictionary<string, (long Size, string Value)>(StringComparer.Ordinal);
        var given = original.Graph.Inputs.Select(v => (Kind: "input", Value: v, Tensor: inputs.GetValueOrDefault(v.Name)));
        var answered = original.Graph.Outputs.Distinct().Select(v => (Kind: "output", Value: v, Tensor: outputs.GetValueOrDefault(v.Name)));
        foreach (var (kind, value, tensor) in given.Concat(answered))
        {
            if (tensor is null || value.Type is not { HasRank: true } type)
                continue;
            if (tensor.Rank != type.Rank)
            {
                yield return $"{kind} '{value.Name}' has {tensor.Rank} dimensions ({Text(tensor.Shape)}), the model declares {type.Rank} "
                    + $"([{string.Join(',', type.Shape)}])";
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

    private bool Prove()
    {
        try
        {
            var facts = ShapeInference.Prove(original, namesAreSizes: true);
            return original.Graph.Outputs.All(o => o.Type is not { HasRank: true } declared || facts.TypeOf(o) is { HasRank: true } proven
                && proven.Rank == declared.Rank
                && declared.Shape.Zip(proven.Shape).All(static d => d.First.IsUnknown || d.First == d.Second));
        }
        catch (OnnxException)
        {
            return false;
        }
    }

    private static string Text(ImmutableArray<long> shape) => $"[{string.Join(',', shape.Select(static d => d.ToString(CultureInfo.InvariantCulture)))}]";
}
