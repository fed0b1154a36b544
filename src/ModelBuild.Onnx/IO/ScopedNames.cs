namespace ModelBuild.Onnx;

/// <summary>
/// The names under which values are written. In a file a name means the innermost value that has it, so that a value of a subgraph hides one of that name
/// further out: where the subgraph, or one inside it, reads the outer one, the inner one is written under a name that nothing else has. Names of the main graph
/// never change, and those of subgraphs are nobody's interface.
/// </summary>
internal sealed class ScopedNames
{
    private readonly Dictionary<Value, string> _renamed = [];
    private readonly HashSet<string> _all = new(StringComparer.Ordinal);

    public ScopedNames(Graph main)
    {
        Collect(main);
        Rename(main);
    }

    /// <summary>The name to write.</summary>
    public string Of(Value value) => _renamed.TryGetValue(value, out var name) ? name : value.Name;

    private void Collect(Graph graph)
    {
        _all.UnionWith(graph.Values.Select(static v => v.Name));
        foreach (var inner in Subgraphs(graph))
            Collect(inner);
    }

    // From the outside in: what an inner graph reads of the graphs around it has its name by then.
    private void Rename(Graph graph)
    {
        foreach (var inner in Subgraphs(graph))
        {
            foreach (var captured in Captured(inner))
                if (OwnOf(inner, Of(captured)) is { } hiding)
                    _renamed[hiding] = Unique(hiding.Name);
            Rename(inner);
        }
    }

    private Value? OwnOf(Graph graph, string name) => graph.Find(name) is { } value && ReferenceEquals(value.Graph, graph) && !_renamed.ContainsKey(value)
        ? value : null;

    private string Unique(string wish)
    {
        for (var i = 1; ; i++)
            if (_all.Add($"{wish}_inner{i}"))
                return $"{wish}_inner{i}";
    }

    /// <summary>The values of graphs around a subgraph that it, or one inside it, reads or hands out.</summary>
    private static IEnumerable<Value> Captured(Graph graph) =>
        graph.Nodes.SelectMany(Graph.Dependencies).Concat(graph.Outputs).Where(v => IsAround(v.Graph, graph)).Distinct();

    private static bool IsAround(Graph outer, Graph inner)
    {
        for (var graph = inner.Parent; graph is not null; graph = graph.Parent)
            if (ReferenceEquals(graph, outer))
                return true;
        return false;
    }

    private static IEnumerable<Graph> Subgraphs(Graph graph) => graph.Nodes.SelectMany(static n => n.Attributes.Values).SelectMany(static a => a.Graphs);
}
