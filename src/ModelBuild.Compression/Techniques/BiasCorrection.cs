using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>
/// Sequential bias correction (Nagel et al., Data-Free Quantization Through Weight Equalization and Bias Correction, 2019; here with data, as in A White Paper
/// on Neural Network Quantization, 2021): layer by layer, the mean of what a layer's channels lack, its inputs being those of the already corrected model and
/// its target what the source model gives, is added to its bias. A layer is corrected only where that brings samples nearer to their target that its mean was
/// not taken of.
/// </summary>
/// <remarks>A quantized layer's bias is a 32-bit integer at the scale of inputs times weights; it is corrected in that form, which is thousands of times finer
/// than the output's own.</remarks>
public sealed class BiasCorrection : Technique<BiasCorrectionPlan>
{
    /// <summary>One sample of so many is held out.</summary>
    private const int HeldOut = 4;

    /// <inheritdoc/>
    public override string Name => "bias-correction";

    /// <inheritdoc/>
    public override bool NeedsData => true;

    /// <inheritdoc/>
    public override bool Repairs => true;

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Operators => WeightedNode.Operators;

    /// <inheritdoc/>
    public override string Describe(RecipeStep step) => "biases corrected layer by layer";

    /// <inheritdoc/>
    protected override JsonTypeInfo<BiasCorrectionPlan> PlanType => PlanJson.Default.BiasCorrectionPlan;

    /// <inheritdoc/>
    protected override BiasCorrectionPlan? Plan(StepContext context)
    {
        if (context.Layers is not { Samples: >= HeldOut } layers)
            return null;
        var kept = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var corrected = new Dictionary<string, CorrectedBias>(StringComparer.Ordinal);
        var nodes = context.Model.Nodes.Where(n => BiasPlace.Of(n) is not null).ToList();
        layers.Walk(layers.TargetsOf(nodes), visit =>
        {
            var place = BiasPlace.Of(visit.Node)!;
            var (taken, heldOut) = (new ChannelMeans(place.Axis), new ChannelMeans(place.Axis));
            var number = 0;
            foreach (var pair in visit.Pairs())
                (number++ % HeldOut == HeldOut - 1 ? heldOut : taken).Add(pair);
            if (heldOut.Count == 0)
            {
                kept.Add(visit.Node.Key, "too few samples come to it");
                return;
            }
            var (shift, lacking) = (taken.Means, heldOut.Means);
            // The mean square of what is lacking falls by 2·shift·mean - shift².
            if (shift.Zip(lacking, static (s, l) => s * (2 * l - s)).Sum() <= 0)
            {
                kept.Add(visit.Node.Key, "held-out samples are no nearer to their target with it");
                return;
            }
            var (many, few) = (taken.Count, heldOut.Count);
            var bias = place.Corrected([.. shift.Zip(lacking, (s, l) => (s * many + l * few) / (many + few))]);
            corrected.Add(visit.Node.Key, new(PlannedLayer.Of(visit.Node), new(bias)));
            place.Set(bias);
        });
        return corrected.Count == 0 ? null : new() { Biases = [.. nodes.Where(n => corrected.ContainsKey(n.Key)).Select(n => corrected[n.Key])], Kept = kept };
    }

    /// <inheritdoc/>
    protected override void Apply(Model model, BiasCorrectionPlan plan)
    {
        var nodes = model.Nodes.Where(n => n.Key.Length > 0).ToDictionary(n => n.Key, StringComparer.Ordinal);
        foreach (var bias in plan.Biases)
            BiasPlace.Of(nodes[bias.Layer.Key])!.Set(bias.Bias.Value);
        Sweep.Run(model);
    }
}

/// <summary>The corrected biases.</summary>
public sealed record BiasCorrectionPlan : StepPlan
{
    /// <summary>The biases, in the graph's order.</summary>
    public required IReadOnlyList<CorrectedBias> Biases { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<LayerChange> Changes => Biases.Select(b => new LayerChange(b.Layer));

    /// <inheritdoc/>
    public override bool ChangesArithmetic => true;

    /// <inheritdoc/>
    public override StepPlan? Without(string key, Model model) => Biases.Where(b => b.Layer.Key != key).ToList() is { Count: > 0 } left
        ? this with { Biases = left } : null;
}

/// <summary>A layer's corrected bias.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Bias">Floats, or 32-bit integers at the scale that the layer's bias has.</param>
public sealed record CorrectedBias(PlannedLayer Layer, PlanTensor Bias);
