using ModelBuild.Compression.Backends;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Reporting;

/// <summary>
/// How much of a model some of its nodes are: their part of all multiply-adds in a typical call (bodies of subgraphs count once), and of the bytes of all
/// weights. What a technique says that it does says little; what it reached says more.
/// </summary>
internal sealed class ReachedWork
{
    private readonly Dictionary<string, (double MultiplyAdds, List<Tensor> Weights)> _nodes = new(StringComparer.Ordinal);
    private readonly double _multiplyAdds;
    private readonly long _bytes;

    /// <summary>Counts a model.</summary>
    /// <param name="model">The model, types known.</param>
    /// <param name="dimensions">Sizes of named dimensions in a typical call.</param>
    public ReachedWork(Model model, IReadOnlyDictionary<string, long> dimensions)
    {
        var sizes = new TypicalSizes(dimensions);
        foreach (var node in model.Nodes.Where(n => n.Outputs.Count > 0))
            _nodes[node.Key] = (sizes.MultiplyAdds(node),
                [.. node.Inputs.Select(i => i?.Constant).OfType<Tensor>().Where(IsWeight)]);
        _multiplyAdds = _nodes.Values.Sum(n => n.MultiplyAdds);
        _bytes = Bytes(_nodes.Keys);
    }

    /// <summary>The share of multiply-adds of some nodes, by key; 0 where the model has none.</summary>
    public double MultiplyAdds(IEnumerable<string> keys) =>
        _multiplyAdds == 0 ? 0 : keys.Distinct(StringComparer.Ordinal).Sum(k => _nodes.GetValueOrDefault(k).MultiplyAdds) / _multiplyAdds;

    /// <summary>The share of the bytes of weights that some nodes read; 0 where the model has none. What several nodes read counts once.</summary>
    public double WeightBytes(IEnumerable<string> keys) => _bytes == 0 ? 0 : (double)Bytes(keys) / _bytes;

    /// <summary>Whether a constant is a weight: floats of two axes and more. Biases, scales and limits have fewer.</summary>
    public static bool IsWeight(Tensor constant) =>
        constant is { Rank: >= 2, ElementType: ElementType.Float or ElementType.Float16 or ElementType.Double or ElementType.BFloat16 };

    private long Bytes(IEnumerable<string> keys) => keys.SelectMany(k => _nodes.GetValueOrDefault(k).Weights ?? [])
        .Distinct<Tensor>(ReferenceEqualityComparer.Instance).Sum(static t => (long)t.Bytes.Length);
}
