using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>
/// Static 8-bit quantization: weights symmetric per channel, activations with ranges from calibration, biases as 32-bit integers, written as
/// QuantizeLinear and DequantizeLinear around the operators for which runtimes have integer kernels.
/// (Jacob et al., Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference, 2018.)
/// </summary>
public sealed class StaticInt8 : Technique<StaticInt8Plan>
{
    /// <inheritdoc/>
    public override string Name => "int8";

    /// <inheritdoc/>
    public override bool NeedsData => true;

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Operators { get; } = [.. WeightedNode.Operators, .. IntegerRegion.Operators];

    /// <inheritdoc/>
    public override IReadOnlyList<Offer> Offers { get; } =
        [new(["minmax"], NeedsProof: true, RestBits: 8), new(["mse"], NeedsProof: true, RestBits: 8), new(["minmax", "mixed"], NeedsProof: true, RestBits: 16),
            new(["mse", "mixed"], NeedsProof: true, RestBits: 16)];

    /// <inheritdoc/>
    public override string Describe(RecipeStep step) => StaticInt8Arguments.Parse(step).Mixed
        ? "8-bit integer arithmetic where that is faster, and float elsewhere" : "8-bit integer arithmetic";

    /// <inheritdoc/>
    protected override JsonTypeInfo<StaticInt8Plan> PlanType => PlanJson.Default.StaticInt8Plan;

    /// <inheritdoc/>
    public override void Check(RecipeStep step) => StaticInt8Arguments.Parse(step);

    /// <inheritdoc/>
    protected override StaticInt8Plan? Plan(StepContext context)
    {
        if (context.Histograms is null)
            return null;
        var arguments = StaticInt8Arguments.Parse(context.Step);
        var kept = new SortedDictionary<string, string>(context.Floats.ToDictionary(StringComparer.Ordinal), StringComparer.Ordinal);
        // A body has a region of its own: what comes in from around it comes in as floats.
        var regions = context.Model.Graphs.Select(graph => (Graph: graph, Region: RegionOf(graph, context, arguments, kept))).Where(r => r.Region is not null)
            .ToList();
        if (regions.Count == 0)
            return null;
        var mapped = regions.SelectMany(r => MappedValues(r.Graph, r.Region!)).Distinct().ToList();
        var histograms = context.Histograms([.. mapped.Select(v => v.Path)]);
        foreach (var (graph, region) in regions.Where(r => r.Graph.Owner is not null && MappedValues(r.Graph, r.Region!)
            .Any(v => histograms[v.Path].Count == 0)).ToArray())
        {
            foreach (var node in graph.Nodes.Where(n => region!.RoleOf(n) == IntegerRole.Weighted))
                kept.TryAdd(node.Key, "no sample of the calibration data reaches it");
            regions.Remove((graph, region));
        }
        if (regions.Count == 0)
            return null;
        mapped = regions.SelectMany(r => MappedValues(r.Graph, r.Region!)).Distinct().ToList();

        var tensors = new SortedDictionary<string, TensorQuantization>(StringComparer.Ordinal);
        var answers = Answers(context.Model);
        foreach (var value in mapped)
        {
            var (low, high) = answers.Contains(value) ? RangeEstimator.OfAnswers(histograms[value.Path])
                : RangeEstimator.Estimate(histograms[value.Path], arguments.Ranges);
            var q = Quantization.OfRange(low, high, context.Profile.Activations);
            tensors.Add(value.Path, new(q.Type, q.Scale, q.ZeroPoint));
        }
        var limit = context.Profile.WeightLimit;
        var layers = new List<IntegerLayer>();
        foreach (var (graph, region) in regions)
            foreach (var node in graph.Nodes)
                if (region!.RoleOf(node) is not IntegerRole.None and var role)
                    layers.Add(role == IntegerRole.Weighted && WeightedNode.Of(node) is { } w
                        ? new(PlannedLayer.Of(node), limit, WeightError.Of(w.Weights.Constant!, w.Axis, limit)) : new(PlannedLayer.Of(node)));
        return new() { Layers = layers, Tensors = tensors, Kept = kept };
    }

    /// <summary>
    /// The values that are answers of the model, but for what moves them or maps them one by one: scores before a Softmax, boxes before they are scaled. A
    /// branch of If gives answers where the If does; turns of Loop and Scan give what further turns read.
    /// </summary>
    private static HashSet<Value> Answers(Model model)
    {
        var answers = model.Graph.Outputs.ToHashSet();
        foreach (var graph in model.Graphs)
        {
            if (graph.Owner is { } owner && owner.Is("If"))
                answers.UnionWith(graph.Outputs.Where((_, i) => i < owner.Outputs.Count && answers.Contains(owner.Outputs[i])));
            foreach (var node in graph.Nodes.Reverse())
                if (ToAnswers.Contains(node.OpType) && node.Domain.Length == 0 && node.Outputs.Any(answers.Contains))
                    answers.UnionWith(node.Inputs.OfType<Value>()
                        .Where(read => node.Inputs.All(i => ReferenceEquals(i, read) || i is null or { Constant: not null }
                        || i.Producer is { } maker && ToAnswers.Contains(maker.OpType))));
        }
        return answers;
    }

    // Concat joins answers with answers.
    private static readonly HashSet<string> ToAnswers =
        ["Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Slice", "Split", "Concat", "Identity", "Cast", "Softmax", "LogSoftmax", "Sigmoid", "Tanh",
            "Exp", "Mul", "Add", "Sub", "Div", "ArgMax", "TopK"];

    /// <summary>What of a graph computes in integers; null where nothing does. Why nodes are left in float is added to <paramref name="kept"/>.</summary>
    private static IntegerRegion? RegionOf(Graph graph, StepContext context, StaticInt8Arguments arguments, SortedDictionary<string, string> kept)
    {
        var weighted = graph.Nodes.Where(n => !context.Floats.ContainsKey(n.Key) && WeightedNode.Of(n) is not null).Select(n => n.Key)
            .ToHashSet(StringComparer.Ordinal);
        var region = IntegerRegion.Of(graph, weighted);
        if (arguments.Mixed && MixedPrecision.FasterInFloat(graph, region, context.Costs) is { Count: > 0 } floats)
        {
            weighted.ExceptWith(floats);
            foreach (var name in floats)
                kept.TryAdd(name, $"predicted to be faster in float on {context.Profile.CostClass}");
            region = IntegerRegion.Of(graph, weighted);
        }
        if (weighted.Count > 0 && MappedValues(graph, region).FirstOrDefault(v => !Calibrator.CanObserve(v)) is { } hidden)
        {
            foreach (var name in weighted)
                kept.TryAdd(name, $"the range of '{hidden.Path}' cannot be observed: it changes its sizes from turn to turn");
            return null;
        }
        return weighted.Count == 0 ? null : region;
    }

    /// <summary>The values that have a mapping of their own: what enters the integer region, and what its nodes (but not those that only move values)
    /// give.</summary>
    internal static List<Value> MappedValues(Graph graph, IntegerRegion region)
    {
        var mapped = new List<Value>();
        var made = new HashSet<Value>();
        foreach (var node in graph.Nodes)
        {
            var role = region.RoleOf(node);
            if (role == IntegerRole.None)
                continue;
            foreach (var i in IntegerRegion.ActivationInputs(node, role))
                if (made.Add(node.Inputs[i]!))
                    mapped.Add(node.Inputs[i]!);
            if (role == IntegerRole.Pass)
                made.Add(node.Output);
            else if (region.HasIntegerOutput(node) && made.Add(region.GroupOutput(node)))
                mapped.Add(region.GroupOutput(node));
        }
        return mapped;
    }

    /// <inheritdoc/>
    protected override void Apply(Model model, StaticInt8Plan plan)
    {
        QdqWriter.Run(model, plan);
        Sweep.Run(model);
    }
}

/// <summary>The layers that compute on integers with ranges known beforehand.</summary>
public sealed record StaticInt8Plan : StepPlan
{
    /// <summary>The layers, in the graph's order.</summary>
    public required IReadOnlyList<IntegerLayer> Layers { get; init; }

    /// <summary>How activations map to integers, by tensor of the model that the step was planned on.</summary>
    public required SortedDictionary<string, TensorQuantization> Tensors { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<LayerChange> Changes => Layers.Select(l => l.Change);

    /// <inheritdoc/>
    public override bool ChangesArithmetic => true;

    /// <inheritdoc/>
    [JsonIgnore]
    public override bool ComputesIntegers => true;

    /// <summary>The layers with weights: what joins and moves their values follows.</summary>
    [JsonIgnore]
    public override IEnumerable<Decision> Decisions => Layers.Where(l => l.WeightLimit is not null).Select(l => Decision.Of(l.Layer));

    /// <inheritdoc/>
    public override StepPlan? Without(string key, Model model)
    {
        var weighted = Layers.Where(l => l.WeightLimit is not null && l.Layer.Key != key).Select(l => l.Layer.Key).ToHashSet(StringComparer.Ordinal);
        var regions = model.Graphs.Select(g => (Graph: g, Region: IntegerRegion.Of(g, weighted))).ToList();
        // What only moved values shared their mapping; where it is float now, what reads it maps it so itself.
        var tensors = new SortedDictionary<string, TensorQuantization>(StringComparer.Ordinal);
        foreach (var value in regions.SelectMany(r => StaticInt8.MappedValues(r.Graph, r.Region)).Distinct())
        {
            var mapped = value;
            while (!Tensors.ContainsKey(mapped.Path))
                mapped = mapped.Producer!.Inputs[0]!;
            tensors.Add(value.Path, Tensors[mapped.Path]);
        }
        var kept = regions.SelectMany(r => r.Graph.Nodes.Where(n => r.Region.RoleOf(n) != IntegerRole.None)).Select(n => n.Key)
            .ToHashSet(StringComparer.Ordinal);
        return kept.Count == 0 ? null : this with { Layers = [.. Layers.Where(l => kept.Contains(l.Layer.Key))], Tensors = tensors };
    }
}

/// <summary>A node that computes on integers.</summary>
/// <param name="Layer">The node.</param>
/// <param name="WeightLimit">The largest magnitude of its integer weights, or null where it has none.</param>
/// <param name="Error">Noise power over signal power of its rounded weights, or null.</param>
public sealed record IntegerLayer(PlannedLayer Layer, int? WeightLimit = null, double? Error = null)
{
    /// <summary>For reports.</summary>
    internal LayerChange Change => WeightLimit is { } limit ? new RoundedLayer(Layer, limit, Error ?? 0).Change : new(Layer);
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
