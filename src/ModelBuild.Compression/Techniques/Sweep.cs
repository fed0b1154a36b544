using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>Removes nodes and initializers that nothing reads any more.</summary>
internal static class Sweep
{
    /// <summary>Sweeps all graphs of a model, and puts their nodes in an order in which they can run.</summary>
    public static void Run(Model model)
    {
        // From the inside out: what a body no longer reads may go.
        foreach (var graph in model.Graphs.Reverse().ToArray())
            Run(graph);
        foreach (var graph in model.Graphs)
            graph.Sort();
    }

    private static void Run(Graph graph)
    {
        // Backwards over a sorted order one pass would do; rewriting appends nodes, so repeat until nothing is left.
        for (var removed = true; removed;)
        {
            removed = false;
            foreach (var node in graph.Nodes.Reverse().ToArray())
                if (node.Outputs.All(o => o.Name.Length == 0 || o.IsUnused))
                {
                    graph.Remove(node);
                    removed = true;
                }
        }
        foreach (var initializer in graph.Initializers.ToArray())
            if (initializer.IsUnused)
                graph.Remove(initializer);
    }
}
