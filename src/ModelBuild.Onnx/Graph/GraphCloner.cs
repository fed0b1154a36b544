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
