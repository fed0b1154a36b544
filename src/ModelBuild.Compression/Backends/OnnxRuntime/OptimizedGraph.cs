using Microsoft.ML.OnnxRuntime;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>
/// The graph that ONNX Runtime makes of a model before it runs it, at the optimization level of an app (all). What it fuses decides on time more than what the
/// file says, and can be asked without a clock.
/// </summary>
public sealed record OptimizedGraph
{
    /// <summary>How often each operator occurs, subgraphs included; with the domain in front, where it is not the standard one
    /// (<c>com.microsoft.Attention</c>).</summary>
    public required IReadOnlyDictionary<string, int> Operators { get; init; }

    /// <summary>The number of nodes, subgraphs included.</summary>
    public int Nodes => Operators.Values.Sum();

    /// <summary>The constants that a DequantizeLinear turns into floats again in every run.</summary>
    public required IReadOnlyList<string> DequantizedConstants { get; init; }

    /// <summary>How many elements these constants have in all.</summary>
    public required long DequantizedElements { get; init; }

    /// <summary>Lets ONNX Runtime optimize a model.</summary>
    /// <param name="path">The .onnx file.</param>
    /// <exception cref="CompressionException">MDLB1120: ONNX Runtime refuses the model.</exception>
    public static OptimizedGraph Of(string path)
    {
        var folder = WorkingFolder.CreateTemporary();
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
            return Of(OnnxReader.Read(optimized));
        }
        finally
        {
            folder.Delete(true);
        }
    }

    private static OptimizedGraph Of(Model model)
    {
        var nodes = model.Nodes.ToList();
        var dequantized = nodes.Where(static n => n.OpType == "DequantizeLinear").Select(static n => n.Input(0)).OfType<Value>()
            .Where(static v => v.Constant is not null).Distinct().ToList();
        return new()
        {
            Operators = Count(nodes),
            DequantizedConstants = [.. dequantized.Select(static v => v.Name)],
            DequantizedElements = dequantized.Sum(static v => v.Constant!.Length),
        };
    }

    private static SortedDictionary<string, int> Count(IEnumerable<Node> nodes)
    {
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var node in nodes)
            counts[node.QualifiedOpType] = counts.GetValueOrDefault(node.QualifiedOpType) + 1;
        return counts;
    }
}
