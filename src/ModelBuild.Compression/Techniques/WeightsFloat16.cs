using System.Numerics.Tensors;
using System.Text.Json.Serialization.Metadata;
using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;
using Tensor = ModelBuild.Onnx.Tensor;

namespace ModelBuild.Compression.Techniques;

/// <summary>
/// Weights stored as 16-bit floats, arithmetic in 32 bits: half of the file at practically no loss. The Cast that unpacks them is folded once, at load.
/// Weights beyond the range of 16 bits stay as they are.
/// </summary>
public sealed class WeightsFloat16 : Technique<WeightsFloat16Plan>
{
    /// <inheritdoc/>
    public override string Name => "weights-float16";

    /// <inheritdoc/>
    public override bool KeepsOperatorSet => true;

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Operators { get; } = ConstantWeights.Operators;

    /// <inheritdoc/>
    public override IReadOnlyList<Offer> Offers { get; } = [new([], NeedsProof: false)];

    /// <inheritdoc/>
    public override int? StoredBits => 16;

    /// <inheritdoc/>
    public override string Describe(RecipeStep step) => "weights stored in 16 bits";

    /// <inheritdoc/>
    protected override JsonTypeInfo<WeightsFloat16Plan> PlanType => PlanJson.Default.WeightsFloat16Plan;

    /// <inheritdoc/>
    protected override WeightsFloat16Plan? Plan(StepContext context)
    {
        var layers = context.Model.Nodes.Where(n => ConstantWeights.Of(n).Any(w => Fits(n.Inputs[w.Index]!.Constant!))).Select(PlannedLayer.Of).ToList();
        return layers.Count == 0 ? null : new() { Layers = layers };
    }

    private static bool Fits(Tensor weights) => TensorPrimitives.MaxMagnitude(weights.Span<float>()) <= UnpackedWeights.LargestHalf;

    /// <inheritdoc/>
    protected override void Apply(Model model, WeightsFloat16Plan plan)
    {
        var layers = plan.Layers.Select(l => l.Key).ToHashSet(StringComparer.Ordinal);
        var unpacked = new Dictionary<Value, Value>();
        foreach (var node in model.Nodes.Where(n => layers.Contains(n.Key)).ToArray())
            foreach (var (index, _, _) in ConstantWeights.Of(node).ToArray())
            {
                var weights = node.Inputs[index]!;
                if (!Fits(weights.Constant!))
                    continue;
                if (!unpacked.TryGetValue(weights, out var floats))
                {
                    floats = UnpackedWeights.OfHalves(node, weights);
                    unpacked.Add(weights, floats);
                }
                node.SetInput(index, floats);
            }
        Sweep.Run(model);
    }
}

/// <summary>The layers whose weights are stored in 16 bits.</summary>
public sealed record WeightsFloat16Plan : StepPlan
{
    /// <summary>The layers, in the graph's order.</summary>
    public required IReadOnlyList<PlannedLayer> Layers { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<LayerChange> Changes => Layers.Select(l => new LayerChange(l, 16));

    /// <inheritdoc/>
    public override StepPlan? Without(string key, Model model) => Layers.Where(l => l.Key != key).ToList() is { Count: > 0 } left ? this with { Layers = left }
        : null;
}
