using System.Runtime.CompilerServices;
using System.Text.Json.Serialization.Metadata;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>
/// Weights stored as 4-bit integers in blocks with a scale and a zero point each, arithmetic in float: unpacked by Cast, Sub and Mul, which runtimes fold into
/// float weights once, at load. An eighth of the file and the speed of the original. Scales and zero points are those of the least squared error; on data,
/// rounding looks at second moments of the layer's inputs (<see cref="SecondOrderRounding"/>), and what rounding each layer costs the answers decides in
/// how many bits it is stored (<see cref="BitAllocation"/>).
/// </summary>
public sealed class WeightsInt4 : Technique<WeightsInt4Plan>
{
    /// <summary>What rounding may take of the budget on calibration data, and where it is careful.</summary>
    private const double Share = 0.7, CarefulShare = 0.25;

    // The samples of a walk: so many predicted nanoseconds of them, and at least so many.
    private const double TimeOfWalk = 0.25e9;
    private const int LeastOfWalk = 24;

    private readonly ConditionalWeakTable<Model, Dictionary<(int Block, bool SecondOrder, bool Kernel), Analysis>> _analyses = [];

    /// <inheritdoc/>
    public override string Name => "weights-int4";

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Operators { get; } = ConstantWeights.Operators;

    /// <inheritdoc/>
    public override IReadOnlyList<Offer> Offers { get; } =
        [new(["gptq", "mixed"], NeedsProof: true, ForSize: true), new(["gptq", "mixed", "careful"], NeedsProof: true, ForSize: true)];

    /// <inheritdoc/>
    public override int? StoredBits => 4;

    /// <inheritdoc/>
    public override string GoesBy(HardwareProfile profile, Model model) => "";

    /// <inheritdoc/>
    public override string Describe(RecipeStep step) => WeightsInt4Arguments.Parse(step).Mixed
        ? "weights stored in 4 bits, in 8 or 16 where that costs too much" : "weights stored in 4 bits";

    /// <inheritdoc/>
    public override void Check(RecipeStep step) => WeightsInt4Arguments.Parse(step);

    /// <inheritdoc/>
    protected override JsonTypeInfo<WeightsInt4Plan> PlanType => PlanJson.Default.WeightsInt4Plan;

    /// <inheritdoc/>
    protected override WeightsInt4Plan? Plan(StepContext context)
    {
        var arguments = WeightsInt4Arguments.Parse(context.Step);
        var analyses = _analyses.GetOrCreateValue(context.Model);
        if (!analyses.TryGetValue((arguments.Block, arguments.SecondOrder, arguments.Kernel), out var analysis))
            analyses.Add((arguments.Block, arguments.SecondOrder, arguments.Kernel), analysis = Analysis.Of(context, arguments));
        var (layers, finite, data) = (analysis.Layers, analysis.Finite, arguments.SecondOrder ? context.Layers : null);
        var bits = analysis.Bits(arguments);
        var kept = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var layer in layers)
            if ((layer.WhyFloat ?? bits[layer].Why) is { } why)
                kept.Add(layer.Layer.Key, why);
        List<StoredLayer> stored = [.. finite.Where(l => !context.Exact.Contains(l.Layer.Key)).Select(l => l.Stored(bits[l].Bits, arguments.Block))];
        // In 8 or 16 bits alone it would be another technique.
        return stored.Select(static l => l.Bits).Distinct().ToList() is [4] or { Count: > 1 } ? new()
        {
            Layers = stored,
            Kept = kept,
            ByData = data is not null || arguments.Mixed && context.Trials is not null,
        } : null;
    }

    /// <summary>What was found out about a model, for steps that differ in what they make of it.</summary>
    /// <param name="Layers">The layers that have weights.</param>
    /// <param name="Finite">Those that can be rounded.</param>
    /// <param name="Allocation">Chooses bits by what the answers bear; null without data.</param>
    private sealed record Analysis(IReadOnlyList<RoundedNode> Layers, IReadOnlyList<RoundedNode> Finite, BitAllocation? Allocation)
    {
        public static Analysis Of(StepContext context, WeightsInt4Arguments arguments)
        {
            var layers = RoundedNode.Of(context.Model, arguments.Block, arguments.Kernel);
            List<RoundedNode> finite = [.. layers.Where(static l => l.WhyFloat is null)];
            var time = context.Costs.Predict(context.Model.Graph);
            // What weights were fitted to would promise too much.
            IReadOnlySet<int> fitted = arguments.SecondOrder && context.Layers is { } data
                ? SecondOrderWalk.Run(finite, data, (int)Math.Clamp(TimeOfWalk / Math.Max(time, 1), LeastOfWalk, int.MaxValue)) : new HashSet<int>();
            return new(layers, finite, context.Trials is { } trials && finite.Count > 0 ? new(context.Model, finite, trials, i => !fitted.Contains(i), time)
                : null);
        }

        public Dictionary<RoundedNode, (int Bits, string? Why)> Bits(WeightsInt4Arguments arguments) => !arguments.Mixed
            ? Finite.ToDictionary(static l => l, static l => l.WhyBytes is { } why ? (8, why) : (4, (string?)null))
            : Allocation?.ByAnswers(arguments.Careful ? CarefulShare : Share, arguments.Careful) ?? BitAllocation.ByWeights(Finite);
    }

    /// <inheritdoc/>
    protected override void Apply(Model model, WeightsInt4Plan plan)
    {
        var layers = plan.Layers.ToDictionary(l => l.Layer.Key, StringComparer.Ordinal);
        var nodes = model.Nodes.Where(n => layers.ContainsKey(n.Key))
            .Select(n => (Node: n, Layer: layers[n.Key], Weights: ConstantWeights.Of(n, withHalves: true).ToArray())).ToArray();
        if (model.Opset < UnpackedWeights.PackedOpset && plan.Layers.Any(static l => l is { Bits: 4, Kernel: false }))
            OpsetConverter.Upgrade(model, UnpackedWeights.PackedOpset);
        var unpacked = new Dictionary<(Value, int, int, int, string), Value>();
        foreach (var (node, layer, weights) in nodes)
        {
            if (layer.Bias is { } bias)
                BiasPlace.Of(node)!.Set(bias.Value);
            if (layer.Kernel)
            {
                BlockProduct.Write(node, layer.Weights[0]);
                continue;
            }
            foreach (var (index, axis, axes) in weights)
            {
                var value = node.Inputs[index]!;
                var blocks = layer.Weights.FirstOrDefault(w => w.Input == index);
                var key = (value, axis, axes, layer.Bits, blocks?.Codes.Hash ?? "");
                if (!unpacked.TryGetValue(key, out var floats))
                {
                    floats = layer.Bits == 16 ? UnpackedWeights.OfHalves(node, value) : blocks is null
                        ? UnpackedWeights.OfBytes(node, value, axis, axes, RoundedTensor.Limit)
                        : UnpackedWeights.OfBlocks(node, value, BlockLayout.Of(value.Constant!.Shape.AsSpan(), axis, axes, blocks.Block), blocks.Codes.Value,
                            blocks.Scales.Value, blocks.Zeros.Value);
                    unpacked.Add(key, floats);
                }
                node.SetInput(index, floats);
            }
        }
        Sweep.Run(model);
    }
}

/// <summary>The layers whose weights are stored in 4 bits, and those that have more beside them.</summary>
public sealed record WeightsInt4Plan : StepPlan
{
    /// <summary>The layers, in the graph's order.</summary>
    public required IReadOnlyList<StoredLayer> Layers { get; init; }

    /// <summary>Whether rounding or the choice of bits went by data.</summary>
    public bool ByData { get; init; }

    /// <inheritdoc/>
    public override bool ChangesArithmetic => Layers.Any(static l => l.Kernel);

    /// <inheritdoc/>
    public override bool RestsOnData => ByData;

    /// <inheritdoc/>
    public override IEnumerable<LayerChange> Changes => Layers.Select(l => new LayerChange(l.Layer, l.Bits, l.Error));

    /// <inheritdoc/>
    public override StepPlan? Without(string key, Model model) => Layers.Where(l => l.Layer.Key != key).ToList() is { Count: > 0 } left
        ? this with { Layers = left } : null;
}

/// <summary>A layer whose weights are stored in fewer bits.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Bits">4, 8 or 16.</param>
/// <param name="Error">Noise power over signal power of the rounded weights, of several tensors the largest.</param>
/// <param name="Weights">Its tensors in 4 bits; none where they have more, which follow from the weights alone.</param>
/// <param name="Bias">The bias that makes up for what rounding does to the mean of each channel; null where it stays as it is.</param>
/// <param name="Kernel">Whether a kernel reads the integers, and computes in integers itself.</param>
public sealed record StoredLayer(PlannedLayer Layer, int Bits, double Error, IReadOnlyList<StoredBlocks> Weights, PlanTensor? Bias = null,
    bool Kernel = false);

/// <summary>A tensor of weights in blocks of 4 bits.</summary>
/// <param name="Input">The input of the layer.</param>
/// <param name="Block">About how many weights share a scale.</param>
/// <param name="Codes">The integers, UInt4.</param>
/// <param name="Scales">A scale for each block.</param>
/// <param name="Zeros">A zero point for each block, UInt4.</param>
public sealed record StoredBlocks(int Input, int Block, PlanTensor Codes, PlanTensor Scales, PlanTensor Zeros);
