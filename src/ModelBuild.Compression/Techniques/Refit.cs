using System.Globalization;
using System.Numerics.Tensors;
using System.Text.Json.Serialization.Metadata;
using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Onnx;
using Tensor = ModelBuild.Onnx.Tensor;

namespace ModelBuild.Compression.Techniques;

/// <summary>
/// Fits each layer's weights and bias by least squares, layer by layer: with the inputs that the already changed model gives it to what the source model
/// gives. Weights that are integers stay integers of the same scale: they are rounded one input after the other, those still to be rounded making up for
/// each (<see cref="SecondOrderRounding"/>; with targets of the original model as in Li et al., GPTAQ, 2025). A layer takes what brings samples nearer to
/// their target that nothing was fitted to: new weights, a new bias alone (<see cref="BiasCorrection"/>), or neither.
/// </summary>
public sealed class Refit : Technique<RefitPlan>
{
    private const int HeldOutRows = 1024;

    /// <summary>With fewer rows for each weight of a channel, weights stay as they are.</summary>
    internal const int LeastRowsPerInput = 2;

    // What is added to the diagonal, of the mean power: with more, weights move less.
    private static readonly double[] Dampings = [SecondOrderRounding.Damping, 0.1, 1];

    /// <inheritdoc/>
    public override string Name => "refit";

    /// <inheritdoc/>
    public override bool NeedsData => true;

    /// <inheritdoc/>
    public override bool Repairs => true;

    /// <inheritdoc/>
    public override string GoesBy(HardwareProfile profile, Model model) => model.Nodes.Any(static n => n.Is("DequantizeLinear"))
        ? profile.WeightLimit.ToString(CultureInfo.InvariantCulture) : "";

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Operators => WeightedNode.Operators;

    /// <inheritdoc/>
    public override string Describe(RecipeStep step) => "weights and biases fitted layer by layer";

    /// <inheritdoc/>
    protected override JsonTypeInfo<RefitPlan> PlanType => PlanJson.Default.RefitPlan;

    /// <inheritdoc/>
    protected override RefitPlan? Plan(StepContext context)
    {
        if (context.Layers is not { Samples: >= LackingRows.HeldOut } layers)
            return null;
        var kept = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var fitted = new Dictionary<string, FittedLayer>(StringComparer.Ordinal);
        var nodes = context.Model.Nodes.Where(n => LayerRows.Of(n) is not null && (BiasPlace.Of(n) is not null || FittedWeights.Of(n) is not null)).ToList();
        layers.Walk(layers.TargetsOf(nodes), visit =>
        {
            if (Fit(visit, context.Profile.WeightLimit, out var why) is { } layer)
                fitted.Add(visit.Node.Key, layer);
            else
                kept.Add(visit.Node.Key, why);
        });
        return fitted.Count == 0 ? null : new() { Layers = [.. nodes.Where(n => fitted.ContainsKey(n.Key)).Select(n => fitted[n.Key])], Kept = kept };
    }

    private static FittedLayer? Fit(LayerVisit visit, int limit, out string why)
    {
        var (place, weights, rows) = (BiasPlace.Of(visit.Node), FittedWeights.Of(visit.Node), LayerRows.Of(visit.Node)!);
        var (most, few) = (GramMatrix.EnoughRows(rows), Math.Max(1, visit.Samples / LackingRows.HeldOut));
        var many = Math.Max(1, visit.Samples - few);
        var (moments, judged) = (new GramMatrix(rows), new LackingRows(rows, rows.Width));
        foreach (var pair in visit.Pairs())
        {
            if (LackingRows.IsHeldOut(pair.Sample))
                judged.Add(LackingRows.Lacking(pair), (HeldOutRows + few - 1) / few);
            else
                moments.Add(LackingRows.Lacking(pair), (most + many - 1) / many);
        }
        why = "too few samples come to it";
        if (moments.Count == 0 || judged.Count == 0)
            return null;
        var (channels, width) = (rows.Groups * rows.Channels, rows.Width);
        float[][] means = [.. Enumerable.Range(0, rows.Groups).Select(g => Array.ConvertAll(moments.Sums(g), s => (float)(s / moments.Count)))];
        var lost = new float[channels];
        for (var c = 0; c < channels; c++)
            lost[c] = (float)(moments.TargetSums(c / rows.Channels)[c % rows.Channels] / moments.Count);

        var (stored, shift, noise) = ((Tensor?)null, (float[]?)null, judged.Noise(null, null));
        why = "it lacks nothing against its target";
        if (noise == 0)
            return null;
        if (place is not null)
            Offer(null, null, lost);
        if (weights is not null && moments.Count > LeastRowsPerInput * width)
        {
            var before = weights.Rows();
            // Where there is a bias, what it makes up for does not count.
            var groups = Enumerable.Range(0, rows.Groups);
            double[][] inputs = [.. groups.Select(g => moments.Inputs(g, place is not null))];
            double[][] targets = [.. groups.Select(g => moments.Targets(g, place is not null))];
            foreach (var damping in Dampings)
            {
                SecondOrderRounding?[] factors = [.. inputs.Select(i => SecondOrderRounding.Of(i, width, damping))];
                var wanted = (float[])before.Clone();
                for (var g = 0; g < rows.Groups; g++)
                {
                    var own = wanted.AsSpan(g * rows.Channels * width, rows.Channels * width);
                    if (factors[g] is { } factor)
                        TensorPrimitives.Add(factor.Solve(targets[g], rows.Channels), own, own);
                }
                var (candidate, change) = weights.Rounded(wanted, factors, limit);
                TensorPrimitives.Subtract(change, before, change);
                Offer(candidate, change, place is null ? null : [.. lost.Select((l, c) =>
                    l - OrderedSums.Dot<float>(change.AsSpan(c * width, width), means[c / rows.Channels]))]);
            }
        }
        why = "held-out samples are no nearer to their target with other weights";
        if (stored is null && shift is null)
            return null;
        if (stored is not null)
            weights!.Set(stored);
        var bias = shift is null ? null : place!.Corrected(Array.ConvertAll(shift, static s => (double)s));
        if (bias is not null)
            place!.Set(bias);
        return new(PlannedLayer.Of(visit.Node), stored is null ? null : new(stored), bias is null ? null : new(bias));

        void Offer(Tensor? candidate, float[]? change, float[]? toBias)
        {
            if (judged.Noise(change, toBias) is var found && found < noise)
                (stored, shift, noise) = (candidate, toBias, found);
        }
    }

    /// <inheritdoc/>
    protected override void Apply(Model model, RefitPlan plan)
    {
        var nodes = model.Nodes.Where(n => n.Key.Length > 0).ToDictionary(n => n.Key, StringComparer.Ordinal);
        foreach (var layer in plan.Layers)
        {
            var node = nodes[layer.Layer.Key];
            if (layer.Weights is { } weights)
                FittedWeights.Of(node)!.Set(weights.Value);
            if (layer.Bias is { } bias)
                BiasPlace.Of(node)!.Set(bias.Value);
        }
        Sweep.Run(model);
    }
}

/// <summary>The fitted layers.</summary>
public sealed record RefitPlan : StepPlan
{
    /// <summary>The layers, in the graph's order.</summary>
    public required IReadOnlyList<FittedLayer> Layers { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<LayerChange> Changes => Layers.Select(l => new LayerChange(l.Layer));

    /// <inheritdoc/>
    public override bool ChangesArithmetic => true;

    /// <inheritdoc/>
    public override StepPlan? Without(string key, Model model) => Layers.Where(l => l.Layer.Key != key).ToList() is { Count: > 0 } left
        ? this with { Layers = left } : null;
}

/// <summary>A layer that was fitted.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Weights">Its weights in the form that they have, floats or 8-bit integers; null where they stay.</param>
/// <param name="Bias">Floats, or 32-bit integers at the scale that the layer's bias has; null where it stays.</param>
public sealed record FittedLayer(PlannedLayer Layer, PlanTensor? Weights = null, PlanTensor? Bias = null);
