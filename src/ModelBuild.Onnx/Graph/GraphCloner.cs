using System.Collections.Immutable;

namespace ModelBuild.Onnx;

/// <summary>Copies subgraphs into another place, letting them read other values of the graphs around them.</summary>
internal static class GraphCloner
{
    /// <summary>An attribute for a node of <paramref name="parent"/>; subgraphs inside are copied.</summary>
    public static AttributeValue Clone(AttributeValue attribute, Graph parent, IReadOnlyDictionary<Value, Value> replaced) => attribute.Value switch
    {
        Graph g => attribute with { Value = Clone(g, parent, replaced) },
        ImmutableArray<Graph> gs => attribute with { Value = gs.Select(g => Clone(g, parent, replaced)).ToImmutableArray() },
        _ => attribute,
    };

    /// <summary>Copies a node of an inner graph into another graph, before a node whose sources it takes over, and notes the copies of its outputs.</summary>
    /// <param name="inner">The node.</param>
    /// <param name="graph">Where the copy goes.</param>
    /// <param name="before">The node that stands for the inner graph.</param>
    /// <param name="replaced">What stands for values of the inner graph.</param>
    public static Node Append(Node inner, Graph graph, Node before, Dictionary<Value, Value> replaced)
    {
        var copy = graph.AddNode(inner.OpType, inner.Inputs.Select(i => i is null ? null : replaced.GetValueOrDefault(i, i)), inner.Outputs.Select(o => o.Name), inner.Domain, before);
        copy.Name = inner.Name;
        copy.Overload = inner.Overload;
        copy.DocString = inner.DocString;
        copy.Sources = [.. inner.Sources.Union(before.Sources)];
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
    public static Graph Clone(Graph graph, Graph parent, IReadOnlyDictionary<Value, Value> replaced)
    {
        var copy = new Graph(parent.Model, parent) { Name = graph.Name, DocString = graph.DocString, Carried = graph.Carried };
        copy.Metadata.AddRange(graph.Metadata);
        var map = new Dictionary<Value, Value>(replaced);
        foreach (var value in graph.Values)
        {
            var v = copy.AddValue(value.Name, value.Type);
            v.NonTensorType = value.NonTensorType;
            v.CarriedType = value.CarriedType;
            v.CarriedTensor = value.CarriedTensor;
            map[value] = v;
        }
        foreach (var input in graph.Inputs)
            copy.MarkInput(map[input]);
        foreach (var initializer in graph.Initializers)
            copy.MarkInitializer(map[initializer], initializer.Constant!);
        foreach (var (value, data) in graph.SparseInitializers)
            copy.SparseInitializers.Add((map[value], data));
        foreach (var node in graph.Nodes)
        {
            var n = copy.AddNode(node.OpType, node.Domain, [.. node.Inputs.Select(i => i is null ? null : map.GetValueOrDefault(i, i))],
                [.. node.Outputs.Select(o => o.Name.Length == 0 ? new Value(copy, "") : map[o])]);
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
        return copy;
    }
}
