using System.Text.Json.Serialization.Metadata;
using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>
/// Weights stored as 8-bit integers with a scale per channel, arithmetic in float. The integers are unpacked by Cast and Mul, which runtimes fold into
/// float weights once, at load: a quarter of the file, and the speed of the original. (A DequantizeLinear would be kept and run at every call: 1.7 times
/// the original's time in the mean.)
/// </summary>
public sealed class WeightsInt8 : Technique<WeightsInt8Plan>
{
    /// <summary>Nothing adds products of 8-bit integers here: all profiles use the full range.</summary>
    private const int Limit = 127;

    /// <inheritdoc/>
    public override string Name => "weights-int8";

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Operators { get; } = ConstantWeights.Operators;

    /// <inheritdoc/>
    public override IReadOnlyList<Offer> Offers { get; } = [new([], NeedsProof: true)];

    /// <inheritdoc/>
    public override int? StoredBits => 8;

    /// <inheritdoc/>
    public override string Describe(RecipeStep step) => "weights stored in 8 bits";

    /// <inheritdoc/>
    protected override JsonTypeInfo<WeightsInt8Plan> PlanType => PlanJson.Default.WeightsInt8Plan;

    /// <inheritdoc/>
    protected override WeightsInt8Plan? Plan(StepContext context)
    {
        var layers = new List<RoundedLayer>();
        foreach (var node in context.Model.Nodes)
        {
            var weights = ConstantWeights.Of(node).ToList();
            if (weights.Count > 0 && !context.Exact.Contains(node.Key))
                layers.Add(new(PlannedLayer.Of(node), Limit, weights.Max(w => WeightError.Of(node.Inputs[w.Index]!.Constant!, w.Axis, Limit, w.Axes))));
        }
        return layers.Count == 0 ? null : new() { Layers = layers };
    }

    /// <inheritdoc/>
    protected override void Apply(Model model, WeightsInt8Plan plan)
    {
        var layers = plan.Layers.ToDictionary(l => l.Layer.Key, StringComparer.Ordinal);
        var unpacked = new Dictionary<(Value, int, int), Value>();
        foreach (var node in model.Nodes.Where(n => layers.ContainsKey(n.Key)).ToArray())
            foreach (var (index, axis, axes) in ConstantWeights.Of(node).ToArray())
            {
                var weights = node.Inputs[index]!;
                if (!unpacked.TryGetValue((weights, axis, axes), out var floats))
                {
                    // Where the weights are: what bodies share is unpacked once.
                    floats = UnpackedWeights.OfBytes(node, weights, axis, axes, Limit);
                    unpacked.Add((weights, axis, axes), floats);
                }
                node.SetInput(index, floats);
            }
        Sweep.Run(model);
    }
}

/// <summary>The layers whose weights are stored in 8 bits.</summary>
public sealed record WeightsInt8Plan : StepPlan
{
    /// <summary>The layers, in the graph's order.</summary>
    public required IReadOnlyList<RoundedLayer> Layers { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<LayerChange> Changes => Layers.Select(l => l.Change);

    /// <inheritdoc/>
    public override StepPlan? Without(string key, Model model) => Layers.Where(l => l.Layer.Key != key).ToList() is { Count: > 0 } left
        ? this with { Layers = left } : null;
}
