using ModelBuild.Onnx.Patterns;

namespace ModelBuild.Onnx;

/// <summary>
/// Finds what exporters spread over several nodes: attention, layer normalization, activations. Patterns are written for graphs that <see cref="Simplifier"/>
/// has cleaned up; elsewhere some are missed. Nothing is changed.
/// </summary>
public static class PatternMatcher
{
    /// <summary>Finds patterns in a model and in its subgraphs.</summary>
    /// <param name="model">The model.</param>
    /// <param name="inference">What <see cref="ShapeInference"/> says of the model as it is now.</param>
    /// <param name="patterns">The patterns to look for; null for all.</param>
    /// <returns>
    /// The matches, ordered by pattern and then by place. Matches of one pattern share no nodes; those of different patterns may (a layer normalization is also
    /// part of a residual one).
    /// </returns>
    public static IReadOnlyList<PatternMatch> Find(Model model, InferenceResult inference, params IReadOnlyCollection<Pattern>? patterns) =>
        [.. (patterns is null or { Count: 0 } ? PatternCatalog.All : patterns).SelectMany(p => Find(model.Graph, inference, p))];

    internal static IEnumerable<PatternMatch> Find(Graph graph, InferenceResult inference, Pattern pattern)
    {
        var taken = new HashSet<Node>();
        var matches = new List<PatternMatch>();
        // Backwards: a match that goes further takes its nodes before a shorter one can.
        foreach (var node in graph.Nodes.Reverse())
        {
            if (!taken.Contains(node) && node.Outputs.Count > 0 && Matching.Try(pattern, node, inference) is { } match && !match.Nodes.Any(taken.Contains))
            {
                taken.UnionWith(match.Nodes);
                matches.Add(match);
            }
            foreach (var inner in node.Attributes.Values.SelectMany(static a => a.Graphs))
                matches.AddRange(Find(inner, inference, pattern).Reverse());
        }
        matches.Reverse();
        return matches;
    }
}
