using ModelBuild.Onnx;

namespace ModelBuild.Compression.Planning;

/// <summary>
/// What the decisions of a step rest on: the decisions of earlier steps that changed the nodes that they are about, and, where they were made by data, those
/// that changed anything before these nodes, since the data ran through it.
/// </summary>
internal static class Dependencies
{
    /// <summary>The earlier decisions that each decision of a step rests on; null where none rests on any.</summary>
    /// <param name="earlier">The earlier steps.</param>
    /// <param name="models">The source model, and the model after each of them; the last one is what the step was planned on.</param>
    /// <param name="plan">The plan of the step.</param>
    /// <param name="usesData">Whether it was planned by data.</param>
    public static SortedDictionary<string, IReadOnlyList<string>>? Of(IReadOnlyList<PlannedStep> earlier, IReadOnlyList<Model> models, StepPlan plan,
        bool usesData)
    {
        if (earlier.Count == 0)
            return null;
        var touched = new Dictionary<Node, SortedSet<string>>();
        for (var i = 0; i < earlier.Count; i++)
            Touch(earlier[i], models[i], models[^1], touched);
        if (usesData)
            PassOn(models[^1].Graph, touched);
        var nodes = models[^1].Nodes.Where(n => n.Key.Length > 0).ToDictionary(n => n.Key, StringComparer.Ordinal);
        var found = new SortedDictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var decision in plan.Decisions)
        {
            var ids = new SortedSet<string>(StringComparer.Ordinal);
            foreach (var key in decision.Nodes)
                if (nodes.TryGetValue(key, out var node) && touched.TryGetValue(node, out var ofNode))
                    ids.UnionWith(ofNode);
            if (ids.Count > 0)
                found[decision.Key] = [.. ids];
        }
        return found.Count == 0 ? null : found;
    }

    /// <summary>Lets what touched a node touch those that read what it gives: in a body all that its owner reads, and the owner all that its bodies
    /// do.</summary>
    private static void PassOn(Graph graph, Dictionary<Node, SortedSet<string>> touched)
    {
        foreach (var node in graph.Nodes)
        {
            foreach (var before in Graph.Dependencies(node).Select(v => v.Producer).OfType<Node>().Distinct())
                if (touched.TryGetValue(before, out var ids))
                    IdsOf(touched, node).UnionWith(ids);
            foreach (var body in node.Attributes.Values.SelectMany(a => a.Graphs))
            {
                if (touched.TryGetValue(node, out var outer))
                    foreach (var inner in body.Nodes)
                        IdsOf(touched, inner).UnionWith(outer);
                PassOn(body, touched);
                foreach (var inner in body.Nodes)
                    if (touched.TryGetValue(inner, out var ids))
                        IdsOf(touched, node).UnionWith(ids);
            }
        }
    }

    /// <summary>Notes what a step has done to the nodes of a later model: those that it kept by their ids, those that it made by the source nodes that they
    /// came from.</summary>
    private static void Touch(PlannedStep step, Model before, Model after, Dictionary<Node, SortedSet<string>> touched)
    {
        var byKey = before.Nodes.Where(n => n.Key.Length > 0).ToDictionary(n => n.Key, StringComparer.Ordinal);
        var known = before.Nodes.Select(n => n.Id).ToHashSet();
        var byId = after.Nodes.ToDictionary(n => n.Id);
        var made = after.Nodes.Where(n => !known.Contains(n.Id)).SelectMany(n => n.Sources.Select(s => (s, n)))
            .ToLookup(p => p.s, p => p.n, StringComparer.Ordinal);
        foreach (var decision in step.Plan.Decisions)
            foreach (var key in decision.Nodes)
                if (byKey.TryGetValue(key, out var node))
                    foreach (var changed in node.Sources.SelectMany(s => made[s]).Concat(byId.TryGetValue(node.Id, out var kept) ? [kept] : []))
                        IdsOf(touched, changed).Add(Decision.Id(step.Step, decision.Key));
    }

    private static SortedSet<string> IdsOf(Dictionary<Node, SortedSet<string>> touched, Node node)
    {
        if (!touched.TryGetValue(node, out var ids))
            touched.Add(node, ids = new(StringComparer.Ordinal));
        return ids;
    }
}
