using System.Collections.Immutable;
using Microsoft.ML.OnnxRuntime;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Execution;

/// <summary>
/// The graph that ONNX Runtime makes of a model before it runs it, at the optimization level of an app (all). What it fuses decides on time more than what the file says, and can be
/// asked without a clock.
/// </summary>
public sealed record OptimizedGraph
{
    // Operators that stand for many: what one of them saves, no faster weight makes up for.
    private static readonly ImmutableArray<string> Fusions =
    [
        "com.microsoft.Attention", "com.microsoft.QAttention", "com.microsoft.MultiHeadAttention", "com.microsoft.GroupQueryAttention", "com.microsoft.EmbedLayerNormalization",
        "com.microsoft.SkipLayerNormalization", "com.microsoft.SkipSimplifiedLayerNormalization", "com.microsoft.BiasGelu", "com.microsoft.FastGelu", "com.microsoft.Gelu", "com.microsoft.QuickGelu",
        "com.microsoft.BiasSoftmax", "LayerNormalization", "SimplifiedLayerNormalization",
        "com.microsoft.QLinearAdd", "com.microsoft.QLinearMul", "com.microsoft.QLinearConcat", "com.microsoft.QLinearGlobalAveragePool", "com.microsoft.QLinearSoftmax", "com.microsoft.QLinearSigmoid",
        "com.microsoft.QLinearLeakyRelu", "com.microsoft.QLinearAveragePool", "com.microsoft.QLinearWhere", "com.microsoft.QGemm", "QLinearConv", "QLinearMatMul",
    ];

    /// <summary>How often each operator occurs, subgraphs included; with the domain in front, where it is not the standard one (<c>com.microsoft.Attention</c>).</summary>
    public required IReadOnlyDictionary<string, int> Operators { get; init; }

    /// <summary>The number of nodes, subgraphs included.</summary>
    public int Nodes => Operators.Values.Sum();

    /// <summary>The constants that a DequantizeLinear turns into floats again in every run.</summary>
    public required IReadOnlyList<string> DequantizedConstants { get; init; }

    /// <summary>How many elements these constants have in all.</summary>
    public required long DequantizedElements { get; init; }

    /// <summary>
    /// How often each operator computes in floats between integers: it reads a DequantizeLinear of a computed value, and all of its results go to a QuantizeLinear.
    /// </summary>
    public required IReadOnlyDictionary<string, int> FloatBetweenIntegers { get; init; }

    /// <summary>Lets ONNX Runtime optimize a model.</summary>
    /// <param name="path">The .onnx file.</param>
    /// <exception cref="CompressionException">MDLB1120: ONNX Runtime refuses the model.</exception>
    public static OptimizedGraph Of(string path)
    {
        var folder = Directory.CreateTempSubdirectory("modelbuild-optimized-");
        try
        {
            var optimized = Path.Combine(folder.FullName, "model.onnx");
            // As an app opens it: what is for exactness in verification rewrites weights.
            using var options = OnnxRuntimeRunner.Options(1, exactIntegers: false);
            options.GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL;
            options.OptimizedModelFilePath = optimized;
            options.AddSessionConfigEntry("session.disable_prepacking", "1");
            // Weights stay out of the message, which must not exceed 2 GB.
            options.AddSessionConfigEntry("session.optimized_model_external_initializers_file_name", "weights");
            options.AddSessionConfigEntry("session.optimized_model_external_initializers_min_size_in_bytes", "1024");
            OnnxRuntimeRunner.Open(() => new(path, options)).Dispose();
            return Of(OnnxReader.Read(optimized).Graph);
        }
        finally
        {
            folder.Delete(true);
        }
    }

    /// <summary>The fused operators that occur less often than in another graph, with the number that is missing.</summary>
    public IReadOnlyDictionary<string, int> LostFusions(OptimizedGraph original) => Fusions
        .Select(f => (Operator: f, Missing: original.Operators.GetValueOrDefault(f) - Operators.GetValueOrDefault(f)))
        .Where(static f => f.Missing > 0)
        .ToDictionary(static f => f.Operator, static f => f.Missing, StringComparer.Ordinal);

    private static OptimizedGraph Of(Graph graph)
    {
        var nodes = All(graph).ToList();
        var dequantized = nodes.Where(static n => n.OpType == "DequantizeLinear").Select(static n => n.Input(0)).OfType<Value>().Where(static v => v.Constant is not null).Distinct().ToList();
        return new()
        {
            Operators = Count(nodes),
            DequantizedConstants = [.. dequantized.Select(static v => v.Name)],
            DequantizedElements = dequantized.Sum(static v => v.Constant!.Length),
            FloatBetweenIntegers = Count(nodes.Where(IsFloatBetweenIntegers)),
        };
    }

    private static bool IsFloatBetweenIntegers(Node node) => node.OpType is not ("QuantizeLinear" or "DequantizeLinear")
        && node.Inputs.Any(static i => i?.Producer is { OpType: "DequantizeLinear" } source && source.Input(0) is { Constant: null })
        && node.Outputs.SelectMany(static o => o.Uses).ToList() is { Count: > 0 } uses && uses.All(static u => u.Node.OpType == "QuantizeLinear");

    private static SortedDictionary<string, int> Count(IEnumerable<Node> nodes)
    {
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var node in nodes)
        {
            var name = node.Domain.Length > 0 ? $"{node.Domain}.{node.OpType}" : node.OpType;
            counts[name] = counts.GetValueOrDefault(name) + 1;
        }
        return counts;
    }

    private static IEnumerable<Node> All(Graph graph) => graph.Nodes.SelectMany(static n => n.Attributes.Values.SelectMany(static a => a.Graphs).SelectMany(All).Prepend(n));
}
