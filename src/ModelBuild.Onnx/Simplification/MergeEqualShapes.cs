namespace ModelBuild.Onnx.Simplification;

/// <summary>Lets everything that reads computed sizes read the first value that holds the same sizes.</summary>
internal sealed class MergeEqualShapes : GraphPass
{
    public override bool Run(Graph graph, PassContext context)
    {
        var changed = false;
        var seen = new Dictionary<string, Value>();
        foreach (var node in graph.Nodes.ToArray())
            foreach (var output in node.Outputs)
            {
                if (output.Name.Length == 0 || output.IsGraphOutput || context.Elements(output) is not { IsConstant: false } elements || elements.Elements.Any(static d => d.IsUnknown))
                    continue;
                var key = $"{context.Type(output)?.ElementType}[{string.Join(',', elements.Shape)}]: {string.Join(", ", elements.Elements)}";
                if (seen.TryAdd(key, output) || output.Uses.Count == 0)
                    continue;
                graph.Replace(output, seen[key]);
                changed = true;
            }
        return changed;
    }

    // Subgraphs are left alone: sizes inside one may depend on the iteration.
    protected override bool Apply(Node node, PassContext context) => false;
}
