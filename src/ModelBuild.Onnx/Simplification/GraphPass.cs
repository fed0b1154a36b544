namespace ModelBuild.Onnx.Simplification;

/// <summary>One kind of simplification, applied to every node of a graph and of its subgraphs.</summary>
internal abstract class GraphPass
{
    /// <summary>Applies the pass once; inner graphs first.</summary>
    /// <returns>Whether something changed.</returns>
    public virtual bool Run(Graph graph, PassContext context)
    {
        var changed = false;
        if (context.IsContradictory(graph))
            return false;
        foreach (var node in graph.Nodes.ToArray())
        {
            if (node.IsRemoved)
                continue;
            foreach (var inner in node.Attributes.Values.SelectMany(a => a.Graphs))
                changed |= Run(inner, context);
            try
            {
                NodeError.Guard(node, () => changed |= Apply(node, context));
            }
            catch (OnnxException e) when (e.Code == OnnxErrors.InvalidOperator && graph.Parent is not null)
            {
                // A branch that is never taken may contradict the shapes.
            }
        }
        return changed;
    }

    /// <summary>Applies the pass to a node.</summary>
    /// <returns>Whether something changed.</returns>
    protected abstract bool Apply(Node node, PassContext context);
}
