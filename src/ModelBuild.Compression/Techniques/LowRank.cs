using System.Globalization;
using System.Text.Json.Serialization.Metadata;
using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>
/// Replaces products by large matrices by two products by thin ones, and convolutions by ones with fewer filters and one of single places: the best of their
/// rank for what the layer reads (SVD of the weights, whitened by the second moments of the inputs; Wang et al., SVD-LLM, 2024; of convolutions Zhang et al.,
/// 2016), so that what is lost is just the sum of what is cut off. All layers share one number of parameters; those directions go first that are least of a
/// layer's answers for what they take. A layer that would gain less than a tenth stays whole.
/// </summary>
public sealed class LowRank : Technique<LowRankPlan>
{
    /// <summary>The argument for factors of the weights alone, whatever the layers read.</summary>
    private const string Plain = "plain";

    /// <summary>Layers with fewer inputs or outputs gain nothing.</summary>
    private const int LeastSize = 16;

    /// <summary>The most that two factors may have, of the parameters of the whole.</summary>
    private const double MostOfWhole = 0.9;

    /// <summary>What is added to the diagonal, of the mean power; where rows are few, more, since moments say too much of those at hand.</summary>
    private const double Damping = 1e-4, DampingOfFew = 0.1;

    /// <inheritdoc/>
    public override string Name => "low-rank";

    /// <inheritdoc/>
    public override bool NeedsFloats => true;

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Operators { get; } = ["Conv", "Gemm", "MatMul"];

    /// <inheritdoc/>
    public override string GoesBy(HardwareProfile profile, Model model) => profile.ChannelsOfVector.ToString(CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    public override string Describe(RecipeStep step) =>
        $"matrices as products of thin ones, with {(ArgumentsOf(step).Share * 100).ToString("0.#", CultureInfo.InvariantCulture)} % of the parameters";

    /// <inheritdoc/>
    protected override JsonTypeInfo<LowRankPlan> PlanType => PlanJson.Default.LowRankPlan;

    /// <inheritdoc/>
    public override void Check(RecipeStep step) => ArgumentsOf(step);

    private (double Share, bool IsPlain) ArgumentsOf(RecipeStep step)
    {
        var (share, plain) = (double.NaN, false);
        foreach (var argument in step.Arguments)
            if (argument == Plain)
                plain = true;
            else if (!double.IsNaN(share) || !double.TryParse(argument, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out share)
                || share is not (> 0 and < 1))
                throw new CompressionException(Codes.BadArgument,
                    $"'{step}': '{argument}' is no argument of {Name}; it takes the share of parameters that stay, as in {Name}(0.5), and {Plain}",
                    "Technique");
        return double.IsNaN(share) ? throw new CompressionException(Codes.BadArgument,
            $"'{step}': {Name} takes the share of parameters that stay, as in {Name}(0.5)", "Technique") : (share, plain);
    }

    /// <inheritdoc/>
    protected override LowRankPlan? Plan(StepContext context)
    {
        var (share, plain) = ArgumentsOf(context.Step);
        var nodes = context.Model.Nodes.Where(n => n.OpType is "Conv" or "MatMul" or "Gemm" && n.Domain.Length == 0
            && FittedWeights.Of(n) is { AreIntegers: false } && LayerRows.Of(n) is { Groups: 1 } rows
            && Math.Min(rows.Width, rows.Channels) >= LeastSize).ToList();
        var factors = new Dictionary<string, MatrixFactors>(StringComparer.Ordinal);
        void Factor(Node node, double[] moments)
        {
            if (MatrixFactors.Of(FittedWeights.Of(node)!.Rows(), moments, LayerRows.Of(node)!) is { } found)
                factors.Add(node.Key, found);
        }

        var layers = plain || context.Layers is not { Samples: > 0 } observed ? null : observed;
        if (layers is null)
            foreach (var node in nodes)
                Factor(node, Identity(LayerRows.Of(node)!.Width));
        else
            layers.Observe(nodes, visit =>
            {
                var rows = LayerRows.Of(visit.Node)!;
                var gram = new GramMatrix(rows, withTargets: false);
                var most = GramMatrix.EnoughRows(rows);
                foreach (var pair in visit.Pairs())
                    gram.Add(pair, (most + visit.Samples - 1) / visit.Samples);
                var moments = gram.Inputs(0);
                var mean = Enumerable.Range(0, rows.Width).Sum(i => moments[i * rows.Width + i]) / rows.Width;
                for (var i = 0; i < rows.Width; i++)
                    moments[i * rows.Width + i] += mean * (gram.Count < GramMatrix.RowsPerInput * rows.Width ? DampingOfFew : Damping);
                if (mean > 0)
                    Factor(visit.Node, moments);
            });
        var kept = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var ranks = Ranks(factors, share, context.Profile.ChannelsOfVector);
        var factored = new List<FactoredLayer>();
        foreach (var node in nodes)
            if (!factors.TryGetValue(node.Key, out var own))
                kept.TryAdd(node.Key, "it has no direction: no sample comes to it, or it multiplies by 0");
            else if (ranks[node.Key] is var rank && rank * (double)(own.Inputs + own.Outputs) > MostOfWhole * own.Inputs * own.Outputs)
                kept.TryAdd(node.Key, "all of its directions matter");
            else
                factored.Add(own.Cut(node, rank));
        return factored.Count == 0 ? null : new() { Layers = factored, Kept = kept, ByData = layers is not null };
    }

    private static double[] Identity(int n)
    {
        var identity = new double[n * n];
        for (var i = 0; i < n; i++)
            identity[i * n + i] = 1;
        return identity;
    }

    /// <summary>The ranks with which all layers together have a share of their parameters: a direction stays where it is enough of its layer's answers for the
    /// parameters that it takes.</summary>
    private static Dictionary<string, int> Ranks(Dictionary<string, MatrixFactors> factors, double share, int vector)
    {
        var all = factors.Values.Sum(static f => (double)f.Inputs * f.Outputs);
        int RankOf(MatrixFactors f, double least)
        {
            var rank = f.Powers.Count(p => p / f.Power / (f.Inputs + f.Outputs) >= least);
            return Math.Min(f.Powers.Count, Math.Max(1, (rank + vector / 2) / vector) * vector);
        }

        double Parameters(double least) =>
            factors.Values.Sum(f => Math.Min((double)f.Inputs * f.Outputs, RankOf(f, least) * (double)(f.Inputs + f.Outputs)));
        var (low, high) = (1e-18, 1.0);
        for (var i = 0; i < 100; i++)
            if (Math.Sqrt(low * high) is var middle && Parameters(middle) > share * all)
                low = middle;
            else
                high = middle;
        return factors.ToDictionary(static f => f.Key, f => RankOf(f.Value, high), StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    protected override void Apply(Model model, LowRankPlan plan)
    {
        var nodes = model.Nodes.Where(static n => n.Key.Length > 0).ToDictionary(static n => n.Key, StringComparer.Ordinal);
        foreach (var layer in plan.Layers)
        {
            var node = nodes[layer.Layer.Key];
            var (graph, input, name) = (node.Graph, node.Inputs[0]!, node.Output.Name);
            var isConv = node.Is("Conv");
            var first = graph.AddNode(isConv ? "Conv" : "MatMul", [input, graph.AddInitializer(name + "_first", layer.First.Value)], [name + "_low"],
                before: node);
            first.Sources = node.Sources;
            if (isConv)
            {
                // What stands around the place is the first one's.
                foreach (var attribute in (string[])["auto_pad", "dilations", "kernel_shape", "pads", "strides"])
                    if (node.Attributes.Remove(attribute, out var value))
                        first.Attributes[attribute] = value;
                node.Attributes["kernel_shape"] = (long[])[.. layer.Second.Value.Shape.Skip(2)];
                first.Attributes["kernel_shape"] = (long[])[.. layer.First.Value.Shape.Skip(2)];
            }
            node.SetInput(0, first.Output);
            node.SetInput(1, graph.AddInitializer(name + "_second", layer.Second.Value));
        }
        Sweep.Run(model);
        ShapeInference.Run(model);
    }
}

/// <summary>The layers that are products of two thin matrices.</summary>
public sealed record LowRankPlan : StepPlan
{
    /// <summary>The layers, in the graph's order.</summary>
    public required IReadOnlyList<FactoredLayer> Layers { get; init; }

    /// <summary>Whether data that ran through the model chose the factors.</summary>
    public bool ByData { get; init; }

    /// <inheritdoc/>
    public override bool RestsOnData => ByData;

    /// <inheritdoc/>
    public override bool ChangesArithmetic => true;

    /// <inheritdoc/>
    public override IEnumerable<LayerChange> Changes => Layers.Select(static l => new LayerChange(l.Layer, null, l.Lost));

    /// <inheritdoc/>
    public override StepPlan? Without(string key, Model model) => Layers.Where(l => l.Layer.Key != key).ToList() is { Count: > 0 } left
        ? this with { Layers = left } : null;
}

/// <summary>A layer as a product of two matrices.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Lost">Noise power over signal power of its answers on the data that chose the factors.</param>
/// <param name="First">[inputs, rank]; of a convolution the filters, as many as the rank.</param>
/// <param name="Second">In the layout of the layer's weights, with as many inputs as the rank.</param>
public sealed record FactoredLayer(PlannedLayer Layer, double Lost, PlanTensor First, PlanTensor Second);
