using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>
/// Which layers are better left in float, by cost alone: an integer kernel can be slower than the float one (few channels, large windows), and every change
/// between the precisions costs a conversion. The division that is predicted to be fastest is a minimum cut between integer and float.
/// </summary>
public static class MixedPrecision
{
    /// <summary>The weighted nodes, by first output, that are faster in float.</summary>
    /// <param name="graph">The graph, types inferred.</param>
    /// <param name="region">What could compute in integers.</param>
    /// <param name="costs">What things cost.</param>
    public static HashSet<string> FasterInFloat(Graph graph, IntegerRegion region, ICosts costs)
    {
        // First side: integer. Second side: float.
        var cut = new MinimumCut();
        var nodes = graph.Nodes.Where(n => region.RoleOf(n) != IntegerRole.None).ToList();
        var side = nodes.ToDictionary(n => n, _ => cut.AddNode());
        var makers = new Dictionary<Value, Node>();
        foreach (var node in nodes)
            makers[region.GroupOutput(node)] = node;

        foreach (var node in nodes)
        {
            cut.AddCost(MinimumCut.Source, side[node], costs.Of(node, integer: false));
            cut.AddCost(side[node], MinimumCut.Sink, costs.Of(node, integer: true));
            // A node without weights joins or moves integers only where all that it reads is integer.
            if (region.RoleOf(node) != IntegerRole.Weighted)
                foreach (var i in IntegerRegion.ActivationInputs(node, region.RoleOf(node)))
                    cut.AddCost(side[node], makers.TryGetValue(node.Inputs[i]!, out var maker) ? side[maker] : MinimumCut.Sink, double.PositiveInfinity);
            // And only where what reads it is integer (said where one node reads it: that one of several is, no cut can say).
            if (region.RoleOf(node) != IntegerRole.Weighted && region.GroupOutput(node) is { IsGraphOutput: false, IsHandedOut: false } given
                && given.Uses.Select(u => u.Node).Distinct().ToList() is [var reader])
                cut.AddCost(side[node], side.TryGetValue(reader, out var its) ? its : MinimumCut.Sink, double.PositiveInfinity);
        }

        foreach (var (value, readers) in Readers(nodes, region))
        {
            // One QuantizeLinear where a float value has an integer reader.
            var quantize = cut.AddNode();
            cut.AddCost(quantize, makers.TryGetValue(value, out var maker) ? side[maker] : MinimumCut.Sink, costs.Quantize(value));
            foreach (var reader in readers)
                cut.AddCost(side[reader], quantize, double.PositiveInfinity);
        }
        foreach (var (value, maker) in makers)
        {
            if (IntegerRegion.GivesFloats(maker, region.Absorbed(maker)))
                continue;
            // One DequantizeLinear where an integer value has a float reader.
            var dequantize = cut.AddNode();
            cut.AddCost(side[maker], dequantize, costs.Dequantize(value));
            if (value.IsGraphOutput || value.IsHandedOut || value.Uses.Any(u => !side.ContainsKey(u.Node)))
                cut.AddCost(dequantize, MinimumCut.Sink, double.PositiveInfinity);
            foreach (var user in value.Uses.Select(u => u.Node).Where(side.ContainsKey).Distinct())
                cut.AddCost(dequantize, side[user], double.PositiveInfinity);
        }

        var integers = cut.FirstSide();
        return [.. nodes.Where(n => region.RoleOf(n) == IntegerRole.Weighted && !integers.Contains(side[n])).Select(n => n.Key)];
    }

    private static IEnumerable<(Value Value, List<Node> Readers)> Readers(List<Node> nodes, IntegerRegion region) =>
        nodes.SelectMany(n => IntegerRegion.ActivationInputs(n, region.RoleOf(n)).Select(i => (Value: n.Inputs[i]!, Reader: n)))
            .GroupBy(r => r.Value, (value, readers) => (value, readers.Select(r => r.Reader).Distinct().ToList()));
}
