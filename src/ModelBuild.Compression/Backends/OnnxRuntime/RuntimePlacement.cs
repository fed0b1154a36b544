using System.Collections.Immutable;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>
/// Asks ONNX Runtime what it makes of a candidate: where it has no integer kernel it dequantizes the weights in every call, and what it no longer recognises it
/// runs node by node. Both cost more than any compression gains, and need no clock to be seen.
/// </summary>
/// <param name="original">The original file.</param>
internal sealed class RuntimePlacement(string original) : IPlacement
{
    // Operators of one family do the same: a Gelu that loses its bias to an integer product is still a Gelu.
    private static readonly ImmutableArray<(string Name, string[] Operators)> Families =
    [
        ("attention", ["com.microsoft.Attention", "com.microsoft.QAttention", "com.microsoft.MultiHeadAttention", "com.microsoft.GroupQueryAttention"]),
        ("embedding with layer normalization", ["com.microsoft.EmbedLayerNormalization"]),
        ("layer normalization", ["LayerNormalization", "SimplifiedLayerNormalization", "com.microsoft.SkipLayerNormalization",
            "com.microsoft.SkipSimplifiedLayerNormalization", "com.microsoft.EmbedLayerNormalization"]),
        ("gelu", ["Gelu", "com.microsoft.Gelu", "com.microsoft.BiasGelu", "com.microsoft.FastGelu", "com.microsoft.QuickGelu"]),
        ("softmax with bias", ["com.microsoft.BiasSoftmax"]),
        ("integer addition", ["com.microsoft.QLinearAdd"]),
        ("integer convolution", ["QLinearConv"]),
        ("integer product", ["QLinearMatMul", "com.microsoft.QGemm", "com.microsoft.MatMulIntegerToFloat", "com.microsoft.DynamicQuantizeMatMul"]),
    ];

    private readonly Lazy<OptimizedGraph> _original = new(() => OptimizedGraph.Of(original));
    private readonly Dictionary<string, OptimizedGraph> _candidates = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    /// <exception cref="CompressionException">MDLB1120: ONNX Runtime refuses the candidate.</exception>
    public Placement Of(Model model, Artifact artifact)
    {
        // Equal ones, of several profiles, are asked about once.
        if (!_candidates.TryGetValue(artifact.Sha256, out var optimized))
            _candidates.Add(artifact.Sha256, optimized = OptimizedGraph.Of(artifact.Path));
        return new(Dequantized(model, optimized), "ONNX Runtime has no integer kernel for it where it stands", WhyNot(optimized));
    }

    /// <summary>The nodes of a candidate (by number) whose integer weights are turned into floats in every call.</summary>
    private static HashSet<int> Dequantized(Model candidate, OptimizedGraph optimized)
    {
        var constants = optimized.DequantizedConstants.ToHashSet(StringComparer.Ordinal);
        return candidate.Nodes.Where(n => n.Is("DequantizeLinear") && n.Inputs[0] is { Constant: not null } data && constants.Contains(data.Name))
            .SelectMany(n => n.Output.Uses).Select(u => u.Node.Id).ToHashSet();
    }

    /// <summary>Why a candidate would be slower than it looks, or null.</summary>
    private string? WhyNot(OptimizedGraph optimized)
    {
        if (optimized.DequantizedElements > _original.Value.DequantizedElements)
            return $"ONNX Runtime would dequantize constants in every call ({string.Join(", ", optimized.DequantizedConstants.Take(3))})";
        foreach (var (name, operators) in Families)
            if (Count(_original.Value, operators) is var before && Count(optimized, operators) is var after && after < before)
                return $"ONNX Runtime would fuse {after} of {before} patterns of {name}";
        return null;
    }

    private static int Count(OptimizedGraph graph, string[] operators) => operators.Sum(o => graph.Operators.GetValueOrDefault(o));
}
