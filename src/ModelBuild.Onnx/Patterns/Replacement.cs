using System.Collections.Immutable;

namespace ModelBuild.Onnx.Patterns;

/// <summary>The standard operator that stands for a pattern. There is one only where ONNX Runtime was measured to be no slower with it (decision
/// 0009).</summary>
/// <param name="OpType">The operator.</param>
/// <param name="SinceOpset">The operator set that brought it.</param>
/// <param name="Inputs">The captures that become its inputs.</param>
internal sealed record Replacement(string OpType, long SinceOpset, ImmutableArray<string> Inputs)
{
    /// <summary>What a match must fulfil beyond being exact, null for nothing.</summary>
    public Func<PatternMatch, bool>? Accepts { get; init; }

    /// <summary>Sets attributes, and whatever inputs are not captures as they are; null where there is nothing to set.</summary>
    public Action<Node, PatternMatch>? Configure { get; init; }

    /// <summary>Puts the operator in the place of a match.</summary>
    public void Apply(PatternMatch match)
    {
        var graph = match.Graph;
        var root = match.Output.Producer!;
        var node = graph.AddNode(OpType, Inputs.Select(match.Value), [$"{match.Output.Name}/{OpType}"], before: root);
        node.Name = root.Name;
        node.Sources = [.. match.Nodes.SelectMany(static n => n.Sources).Distinct()];
        node.Output.Type = match.Output.Type;
        Configure?.Invoke(node, match);
        Simplification.PassContext.Absorb(root, node.Output);
        // Readers go before what they read.
        foreach (var inner in match.Nodes.Reverse())
            if (!inner.IsRemoved && inner.Outputs.All(static o => o.Name.Length == 0 || o.IsUnused))
                graph.Remove(inner);
    }
}
