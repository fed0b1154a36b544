namespace ModelBuild.Onnx.Simplification;

/// <summary>Removes nodes that nothing reads and initializers that nothing reads.</summary>
internal sealed class RemoveDead : GraphPass
{
    public override bool Run(Graph graph, PassContext context)
    {
        var changed = false;
        // Backwards, so that what only dead nodes read dies in the same round.
        foreach (var node in graph.Nodes.Reverse().ToArray())
        {
            foreach (var inner in node.Attributes.Values.SelectMany(a => a.Graphs))
                changed |= Run(inner, context);
            changed |= Apply(node, context);
        }
        foreach (var initializer in graph.Initializers.ToArray())
            if (initializer.IsUnused && !initializer.IsGraphInput)
            {
                graph.Remove(initializer);
                changed = true;
            }
        return changed;
    }

    protected override bool Apply(Node node, PassContext context)
    {
        if (!node.Outputs.All(o => o.Name.Length == 0 || o.IsUnused))
            return false;
        node.Graph.Remove(node);
        return true;
    }
}
