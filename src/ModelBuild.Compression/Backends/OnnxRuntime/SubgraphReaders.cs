using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>
/// Keeps ONNX Runtime from ending the process: its optimizer moves a DequantizeLinear through operators that only move values, counts the bodies of If, Loop
/// and Scan among the readers of the result, and looks for a place among the listed inputs that they do not have (1.31). A copy between the result and the
/// bodies, by an operator that it moves nothing through, is in the way.
/// </summary>
internal static class SubgraphReaders
{
    private static readonly string[] Movers = ["MaxPool", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Slice"];

    /// <summary>Puts a Concat of one input in front of what reads such a value from within a subgraph.</summary>
    /// <param name="model">A model for ONNX Runtime, types inferred; changed in place.</param>
    public static void Separate(Model model) => Separate(model.Graph);

    private static void Separate(Graph graph)
    {
        foreach (var node in graph.Nodes.ToArray())
        {
            foreach (var body in node.Attributes.Values.SelectMany(static a => a.Graphs))
                Separate(body);
            if (!IsMoved(node) || node.Output.Type is not { Rank: > 0 })
                continue;
            var moved = node.Output;
            var inner = moved.Uses.Where(u => !ReferenceEquals(u.Node.Graph, graph)).ToList();
            if (inner.Count == 0)
                continue;
            var copy = graph.AddNode("Concat", [moved], [moved.Name + "_copy"], before: graph.Nodes.SkipWhile(n => !ReferenceEquals(n, node))
                .ElementAtOrDefault(1));
            copy.Attributes["axis"] = 0L;
            copy.Sources = node.Sources;
            copy.Output.Type = moved.Type;
            foreach (var use in inner)
                use.Node.SetInput(use.Index, copy.Output);
        }
    }

    private static bool IsMoved(Node node) => Movers.Any(node.Is) && node.Inputs[0]?.Producer is { } source
        && (source.Is("DequantizeLinear") || IsMoved(source));
}
