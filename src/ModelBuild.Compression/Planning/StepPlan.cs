using System.Text.Json.Serialization;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Planning;

/// <summary>What one step of a recipe does to the model that the steps before it left: every choice, as data. Techniques derive types of their own.</summary>
public abstract record StepPlan
{
    /// <summary>What is done to each node, in the graph's order: what reports show.</summary>
    [JsonIgnore]
    public abstract IEnumerable<LayerChange> Changes { get; }

    /// <summary>Whether nodes compute otherwise than the original's afterwards, and not only read weights that are stored otherwise.</summary>
    [JsonIgnore]
    public virtual bool ChangesArithmetic => false;

    /// <summary>Whether the nodes that it changes multiply integers afterwards.</summary>
    [JsonIgnore]
    public virtual bool ComputesIntegers => false;

    /// <summary>Whether the choices were made by data that ran through the model.</summary>
    [JsonIgnore]
    public virtual bool RestsOnData => false;

    /// <summary>The choices that can be struck one by one.</summary>
    [JsonIgnore]
    public virtual IEnumerable<Decision> Decisions => Changes.Select(c => Decision.Of(c.Layer));

    /// <summary>For decisions (by their name in the step) that rest on some of earlier steps: their names (<see cref="Decision.Id"/>). Null where none
    /// does.</summary>
    public SortedDictionary<string, IReadOnlyList<string>>? RestsOn { get; init; }

    /// <summary>The plan without one decision; null where nothing is left of it. What follows from the others by arithmetic stays as it was.</summary>
    /// <param name="key">The decision's name in the step.</param>
    /// <param name="model">The model that the step was planned on.</param>
    /// <exception cref="NotSupportedException">The technique's decisions cannot be struck.</exception>
    public virtual StepPlan? Without(string key, Model model) => throw new NotSupportedException("decisions of this step cannot be struck");

    /// <summary>Values that lose indices of an axis: what later steps must know to find their values in the models before.</summary>
    [JsonIgnore]
    public virtual IEnumerable<ValueCut> Cuts => [];

    /// <summary>Why nodes that the step could take (by key) are left alone.</summary>
    public SortedDictionary<string, string> Kept { get; init; } = new(StringComparer.Ordinal);
}

/// <summary>What a step does to one node.</summary>
/// <param name="Layer">The node.</param>
/// <param name="Bits">Bits of its stored weights, or null where they stay as they are.</param>
/// <param name="Error">Noise power over signal power of the rounded weights, or null.</param>
public sealed record LayerChange(PlannedLayer Layer, int? Bits = null, double? Error = null);

/// <summary>A node that a step changes.</summary>
/// <param name="Key">The node, by <see cref="Node.Key"/> in the model that the step was planned on.</param>
/// <param name="Operator">The operator.</param>
/// <param name="Sources">The nodes of the source model that it came from.</param>
public sealed record PlannedLayer(string Key, string Operator, IReadOnlyList<string> Sources)
{
    /// <summary>A node of a graph.</summary>
    public static PlannedLayer Of(Node node) => new(node.Key, node.OpType, node.Sources);
}

/// <summary>A node whose weights are rounded to integers.</summary>
/// <param name="Layer">The node.</param>
/// <param name="WeightLimit">The largest magnitude of an integer: 127, or 63 where kernels add pairs of products in 16 bits.</param>
/// <param name="Error">Noise power over signal power of the rounded weights.</param>
public sealed record RoundedLayer(PlannedLayer Layer, int WeightLimit, double Error)
{
    /// <summary>For reports.</summary>
    internal LayerChange Change => new(Layer, WeightLimit > 63 ? 8 : 7, Error);
}
