using ModelBuild.Onnx.Patterns;

namespace ModelBuild.Onnx.Simplification;

/// <summary>Writes patterns as the one standard operator that computes them, where the operator set has it.</summary>
internal sealed class FusePatterns : GraphPass
{
    private static readonly Pattern[] Replaceable = [.. PatternCatalog.All.Where(static p => p.Replacements.Length > 0)];

    /// <summary>Backwards, as <see cref="PatternMatcher"/> looks for them: what goes further comes first.</summary>
    public override bool Run(Graph graph, PassContext context)
    {
        var changed = false;
        if (!context.Options.FusesPatterns || context.IsContradictory(graph) || PassContext.Quantizes(graph))
            return false;
        foreach (var node in graph.Nodes.Reverse().ToArray())
        {
            foreach (var inner in node.Attributes.Values.SelectMany(a => a.Graphs))
                changed |= Run(inner, context);
            changed |= !node.IsRemoved && node.Outputs.Count > 0 && Apply(node, context);
        }
        return changed;
    }

    protected override bool Apply(Node node, PassContext context)
    {
        foreach (var pattern in Replaceable)
        {
            // Other precisions round differently inside the operator than between nodes.
            if (pattern.Replacements.FirstOrDefault(r => r.SinceOpset <= context.Model.Opset) is not { } replacement
                || Matching.Try(pattern, node, context.Inference) is not { FormUsed: { IsExact: true, Name: not "operator" } } match
                || replacement.Accepts?.Invoke(match) == false || context.Type(match.Output)?.ElementType != ElementType.Float)
                continue;
            replacement.Apply(match);
            return true;
        }
        return false;
    }
}
