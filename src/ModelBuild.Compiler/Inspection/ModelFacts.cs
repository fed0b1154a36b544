using System.Text.Json.Serialization;
using ModelBuild.Onnx;

namespace ModelBuild.Compiler.Inspection;

/// <summary>One input or output.</summary>
internal sealed record PortFacts(string Name, string Type, IReadOnlyList<string> Shape);

/// <summary>How often a pattern occurs in a form.</summary>
internal sealed record PatternFacts(string Pattern, string Form, int Count);

/// <summary>What <c>inspect</c> shows.</summary>
internal sealed record ModelFacts
{
    public required string Model { get; init; }
    public required long Bytes { get; init; }
    public required string Backend { get; init; }
    public string? Producer { get; init; }
    public long? IrVersion { get; init; }
    public long? Opset { get; init; }
    public long? Parameters { get; init; }
    public required IReadOnlyList<PortFacts> Inputs { get; init; }
    public required IReadOnlyList<PortFacts> Outputs { get; init; }
    public required SortedDictionary<string, int> Operators { get; init; }

    /// <summary>What the simplified graph computes in terms of <see cref="PatternCatalog"/>; null where the graph cannot be simplified.</summary>
    public IReadOnlyList<PatternFacts>? Patterns { get; init; }

    public required IReadOnlyDictionary<string, string> Metadata { get; init; }

    public static ModelFacts Of(string path)
    {
        if (path.EndsWith(".modelbuild", StringComparison.OrdinalIgnoreCase))
            return ManagedInterface.Facts(path);
        var model = OnnxReader.Read(path);
        var operators = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var node in model.Graph.Nodes)
            operators[node.QualifiedOpType] = operators.GetValueOrDefault(node.QualifiedOpType) + 1;
        // Inputs and outputs are those of the class that a build generates.
        MapOutputs.Replace(model);
        var facts = new ModelFacts
        {
            Model = path,
            Bytes = new FileInfo(path).Length,
            Backend = OnnxRuntimeBackend.BackendName,
            Producer = $"{model.ProducerName} {model.ProducerVersion}".Trim(),
            IrVersion = model.IrVersion,
            Opset = model.Opset,
            Parameters = model.Graph.Initializers.Sum(i => i.Constant!.Length),
            Inputs = [.. model.Graph.Inputs.Where(i => i.Constant is null).Select(Port)],
            Outputs = [.. model.Graph.Outputs.Select(Port)],
            Operators = operators,
            Metadata = model.Metadata.DistinctBy(m => m.Key).ToDictionary(m => m.Key, m => m.Value, StringComparer.Ordinal),
        };
        // Last: simplification changes the graph that the rest is read from.
        return facts with { Patterns = PatternsOf(model) };
    }

    private static IReadOnlyList<PatternFacts>? PatternsOf(Model model)
    {
        try
        {
            Simplifier.Run(model);
            return [.. PatternMatcher.Find(model, ShapeInference.Run(model)).GroupBy(m => (m.Pattern.Name, m.Form))
                .Select(g => new PatternFacts(g.Key.Name, g.Key.Form, g.Count()))];
        }
        catch (OnnxException)
        {
            // What the file says can be shown all the same.
            return null;
        }
    }

    private static PortFacts Port(Value v) => new(v.Name, (v.Type?.ElementType.ToString() ?? "other").ToLowerInvariant(),
        v.Type is { HasRank: true } t ? [.. t.Shape.Select(d => d.ToString())] : ["..."]);
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ModelFacts))]
internal sealed partial class ModelFactsJson : JsonSerializerContext;
