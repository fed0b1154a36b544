using System.Text.Json;
using System.Text.Json.Serialization;
using ModelBuild.Compression.Techniques;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Planning;

/// <summary>
/// The decisions for one model on one kind of hardware, as data: enough to apply them without any data, and what report and lock file are views of.
/// Nodes and tensors are named as in the simplified model, which follows from the source model alone.
/// </summary>
public sealed record Plan
{
    /// <summary>The number of the format.</summary>
    public int Format { get; init; } = 1;

    /// <summary>The recipe, such as <c>int8(mse)</c> or <c>dynamic-int8+weights-int8</c>; <c>simplify</c> where nothing lossy is done.</summary>
    public required string Recipe { get; init; }

    /// <summary>The decisions, one per node that a technique changes, in the graph's order.</summary>
    public required IReadOnlyList<Decision> Decisions { get; init; }

    /// <summary>How quantized activations map to integers, by tensor.</summary>
    public SortedDictionary<string, TensorQuantization> Tensors { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Why nodes that a step could take (by first output) are left to later steps or to float.</summary>
    public SortedDictionary<string, string> Kept { get; init; } = new(StringComparer.Ordinal);

    /// <summary>The plan as JSON; equal plans give equal text.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, PlanJson.Default.Plan);

    /// <summary>Reads a plan back.</summary>
    /// <exception cref="JsonException">The text is no plan.</exception>
    public static Plan FromJson(string json) => JsonSerializer.Deserialize(json, PlanJson.Default.Plan) ?? throw new JsonException("the plan is null");
}

/// <summary>What is done to one node.</summary>
public sealed record Decision
{
    /// <summary>The node, by the name of its first output in the simplified model.</summary>
    public required string Output { get; init; }

    /// <summary>The operator.</summary>
    public required string Operator { get; init; }

    /// <summary>The nodes of the source model that it came from.</summary>
    public required IReadOnlyList<string> Sources { get; init; }

    /// <summary>The technique's name.</summary>
    public required string Technique { get; init; }

    /// <summary>The largest magnitude of quantized weights, where the technique quantizes weights.</summary>
    public int? WeightLimit { get; init; }

    /// <summary>Predicted nanoseconds of the node as decided, by the profile's cost table.</summary>
    public double? Cost { get; init; }

    /// <summary>Noise power over signal power of the rounded weights, where the technique quantizes weights.</summary>
    public double? Error { get; init; }

    /// <summary>A decision for a node.</summary>
    public static Decision For(Node node, string technique) => new()
    {
        Output = node.Key,
        Operator = node.OpType,
        Sources = node.Sources,
        Technique = technique,
    };
}

/// <summary>How one tensor maps to integers.</summary>
/// <param name="Type">UInt8 or Int8.</param>
/// <param name="Scale">Scale.</param>
/// <param name="ZeroPoint">Zero point.</param>
public sealed record TensorQuantization(ElementType Type, float Scale, int ZeroPoint)
{
    /// <summary>The mapping.</summary>
    [JsonIgnore]
    public Quantization Quantization => new(Type, Scale, ZeroPoint);
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Plan))]
internal sealed partial class PlanJson : JsonSerializerContext;
