using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>
/// Static 8-bit quantization: weights symmetric per channel, activations with ranges from calibration, biases as 32-bit integers, written as
/// QuantizeLinear and DequantizeLinear around the operators for which runtimes have integer kernels.
/// (Jacob et al., Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference, 2018.)
/// </summary>
public sealed class StaticInt8 : ITechnique
{
    /// <inheritdoc/>
    public string Name => "int8";

    /// <inheritdoc/>
    public bool NeedsData => true;

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Operators { get; } = [.. WeightedNode.Operators, .. IntegerRegion.Operators];

    /// <inheritdoc/>
    public void Check(RecipeStep step) => StaticInt8Arguments.Parse(step);

    /// <inheritdoc/>
    public Proposal Propose(ProposalContext context)
    {
        if (context.Histograms is null)
            return Proposal.Nothing;
        var graph = context.Model.Graph;
        var weighted = graph.Nodes.Select(WeightedNode.Of).OfType<WeightedNode>().Where(w => !context.Excluded.Contains(w.Node.Key) && !context.Floats.ContainsKey(w.Node.Key))
            .ToDictionary(w => w.Node.Key, StringComparer.Ordinal);
        if (weighted.Count == 0)
            return Proposal.Nothing;
        var arguments = StaticInt8Arguments.Parse(context.Step);
        var region = IntegerRegion.Of(graph, weighted.Keys.ToHashSet(StringComparer.Ordinal));
        var kept = new Dictionary<string, string>(context.Floats, StringComparer.Ordinal);
        if (arguments.Mixed && MixedPrecision.FasterInFloat(graph, region, context.Costs) is { Count: > 0 } floats)
        {
            foreach (var name in floats)
            {
                weighted.Remove(name);
                kept.TryAdd(name, $"predicted to be faster in float on {context.Profile.Name}");
            }
            if (weighted.Count == 0)
                return Proposal.Nothing;
            region = IntegerRegion.Of(graph, weighted.Keys.ToHashSet(StringComparer.Ordinal));
        }
        var mapped = MappedValues(graph, region);
        var histograms = context.Histograms([.. mapped.Select(v => v.Name)]);

        var tensors = new SortedDictionary<string, TensorQuantization>(StringComparer.Ordinal);
        foreach (var value in mapped)
        {
            var (low, high) = RangeEstimator.Estimate(histograms[value.Name], arguments.Ranges);
            var q = Quantization.OfRange(low, high, context.Profile.Activations);
            tensors.Add(value.Name, new(q.Type, q.Scale, q.ZeroPoint));
        }
        var decisions = new List<Decision>();
        foreach (var node in graph.Nodes)
        {
            if (region.RoleOf(node) == IntegerRole.None)
                continue;
            var decision = Decision.For(node, Name);
            if (region.RoleOf(node) == IntegerRole.Weighted)
            {
                var w = weighted[node.Key];
                decision = decision with { WeightLimit = context.Profile.WeightLimit, Error = WeightError.Of(w.Weights.Constant!, w.Axis, context.Profile.WeightLimit) };
            }
            decisions.Add(decision);
        }
        return new(decisions, tensors) { Kept = kept };
    }

    /// <summary>The values that have a mapping of their own: what enters the integer region, and what its nodes (but not those that only move values) give.</summary>
    private static List<Value> MappedValues(Graph graph, IntegerRegion region)
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
    public void Apply(Model model, Plan plan)
    {
        var decisions = plan.Decisions.Where(d => d.Technique == Name).ToDictionary(d => d.Output, StringComparer.Ordinal);
        if (decisions.Count > 0)
            new QdqWriter(model, decisions, plan.Tensors).Run();
    }
}
