using System.Collections.Immutable;

namespace ModelBuild.Onnx;

/// <summary>Copies graphs. Tensors are shared, not copied. What stands for what is noted in one map, which inner graphs add to.</summary>
internal static class GraphCloner
{
    /// <summary>An attribute for a node of <paramref name="parent"/>; subgraphs inside are copied.</summary>
    public static AttributeValue Clone(AttributeValue attribute, Graph parent, Dictionary<Value, Value> replaced) => attribute.Value switch
    {
        Graph g => attribute with { Value = Clone(g, parent, replaced) },
        ImmutableArray<Graph> gs => attribute with { Value = gs.Select(g => Clone(g, parent, replaced)).ToImmutableArray() },
        _ => attribute,
    };

    /// <summary>Copies a node of an inner graph into another graph, and notes the copies of its outputs.</summary>
    /// <param name="inner">The node.</param>
    /// <param name="graph">Where the copy goes.</param>
    /// <param name="before">The node that stands for the inner graph: the copy is placed before it and takes over its sources. Null for the last place.</param>
    /// <param name="replaced">What stands for values of the inner graph.</param>
    /// <param name="name">What an output's copy is called; null for its own name. Either is made unique.</param>
    public static Node Append(Node inner, Graph graph, Node? before, Dictionary<Value, Value> replaced, Func<Value, string>? name = null)
    {
        var copy = graph.AddNode(inner.OpType, inner.Inputs.Select(i => i is null ? null : replaced.GetValueOrDefault(i, i)),
            inner.Outputs.Select(o => o.Name.Length == 0 || name is null ? o.Name : name(o)), inner.Domain, before);
        copy.Name = inner.Name;
        copy.Overload = inner.Overload;
        copy.DocString = inner.DocString;
        copy.Metadata.AddRange(inner.Metadata);
        copy.Carried = inner.Carried;
        copy.Sources = [.. inner.Sources.Union(before?.Sources ?? [])];
        foreach (var (key, value) in inner.Attributes)
            copy.Attributes.Add(key, Clone(value, graph, replaced));
        for (var i = 0; i < inner.Outputs.Count; i++)
        {
            copy.Outputs[i].Type = inner.Outputs[i].Type;
            copy.Outputs[i].NonTensorType = inner.Outputs[i].NonTensorType;
            replaced[inner.Outputs[i]] = copy.Outputs[i];
        }
        return copy;
    }

    /// <summary>A copy of a subgraph as a subgraph of another graph.</summary>
    public static Graph Clone(Graph graph, Graph parent, Dictionary<Value, Value> replaced)
    {
        var copy = new Graph(parent.Model, parent);
        Fill(copy, graph, replaced);
        return copy;
    }

    /// <summary>Fills an empty graph with a copy of another. In another model the copies of nodes keep their ids.</summary>
    public static void Fill(Graph copy, Graph graph, Dictionary<Value, Value> map)
    {
        copy.Name = graph.Name;
        copy.DocString = graph.DocString;
        copy.Carried = graph.Carried;
        copy.Metadata.AddRange(graph.Metadata);
        foreach (var value in graph.Values)
            map[value] = Copy(value, copy.AddValue(value.Name));
        foreach (var input in graph.Inputs)
            copy.MarkInput(map[input]);
        foreach (var initializer in graph.Initializers)
            copy.MarkInitializer(map[initializer], initializer.Constant!);
        foreach (var (value, data) in graph.SparseInitializers)
            copy.SparseInitializers.Add((map[value], data));
        foreach (var node in graph.Nodes)
        {
            var id = ReferenceEquals(copy.Model, graph.Model) ? copy.Model.NextNodeId() : node.Id;
            var n = copy.AddNode(id, node.OpType, node.Domain, [.. node.Inputs.Select(i => i is null ? null : map.GetValueOrDefault(i, i))],
                [.. node.Outputs.Select(o => o.Name.Length == 0 ? Copy(o, new(copy, "")) : map[o])]);
            n.Name = node.Name;
            n.Overload = node.Overload;
            n.DocString = node.DocString;
            n.Metadata.AddRange(node.Metadata);
            n.Sources = node.Sources;
            n.Carried = node.Carried;
            foreach (var (key, value) in node.Attributes)
                n.Attributes.Add(key, Clone(value, copy, map));
        }
        foreach (var output in graph.Outputs)
            copy.AddOutput(map.GetValueOrDefault(output, output));
    }

    private static Value Copy(Value from, Value to)
    {
        to.Type = from.Type;
        to.NonTensorType = from.NonTensorType;
        to.CarriedType = from.CarriedType;
        to.CarriedTensor = from.CarriedTensor;
        return to;
    }
}
