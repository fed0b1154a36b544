using ModelBuild.Onnx.Proto;

namespace ModelBuild.Onnx;

/// <summary>Turns graph messages into editable graphs.</summary>
internal sealed class GraphReader(ExternalData external)
{
    /// <summary>Fills an empty graph. The message is consumed: what stays in it afterwards is unknown to this library.</summary>
    public void Fill(Graph graph, GraphProto proto)
    {
        graph.Name = proto.Name;
        graph.DocString = proto.DocString;
        foreach (var entry in proto.MetadataProps)
            graph.Metadata.Add(new(entry.Key, entry.Value));

        foreach (var info in proto.Input)
            SetType(graph.AddInput(Fresh(graph, info.Name, "input"), null), info);
        foreach (var tensor in proto.Initializer)
        {
            var name = tensor.Name;
            var value = AddConstant(graph, name, TensorReader.Read(tensor, external, $"initializer '{name}'"), "initializer");
            value.CarriedTensor = TensorReader.Rest(tensor);
        }
        foreach (var sparse in proto.SparseInitializer)
        {
            var name = SparseTensorReader.Check(sparse).Values.Name;
            if (Own(graph, name) is null)
                graph.AddSparseInitializer(Fresh(graph, name, "sparse initializer"), sparse);
            else
                AddConstant(graph, name, SparseTensorReader.ToDense(sparse), "sparse initializer");
        }
        TakeRepeatedConstants(graph, proto);

        // All values first: a node may be written before the one that it reads, and subgraphs read values of the graphs around them.
        foreach (var node in proto.Node)
            foreach (var output in node.Output)
                if (output.Length > 0)
                    graph.AddValue(Fresh(graph, output, "output of " + Describe(node)));
        foreach (var info in proto.ValueInfo)
            if (Own(graph, info.Name) is { CarriedType: null } value)
                SetType(value, info);
        foreach (var info in proto.Output)
        {
            if (graph.Find(info.Name) is not { } value)
                throw new OnnxException(OnnxErrors.Wiring, $"the graph's output '{info.Name}' is made by nothing");
            if (ReferenceEquals(value.Graph, graph) && (value.CarriedType is null || value.Type is null))
                SetType(value, info);
            graph.AddOutput(value);
        }
        foreach (var node in proto.Node)
            AddNode(graph, node);
        SortIfNeeded(graph);

        foreach (var field in GraphProto.Descriptor.Fields.InFieldNumberOrder())
            if (field.FieldNumber != GraphProto.QuantizationAnnotationFieldNumber)
                field.Accessor.Clear(proto);
        graph.Carried = proto.CalculateSize() > 0 ? proto : null;
    }

    /// <summary>
    /// Gives a constant its value: a new one, an input its default, or another value to a name that has one. As ONNX Runtime reads it, the last one counts.
    /// </summary>
    private static Value AddConstant(Graph graph, string name, Tensor data, string what)
    {
        if (Own(graph, name) is not { } known)
            return graph.AddInitializer(Fresh(graph, name, what), data);
        if (known.Constant is null && known.IsGraphInput)
            graph.MarkInitializer(known, data);
        else if (known.Constant is { } earlier && earlier.Type.Equals(data.Type))
            known.Constant = data;
        else
            throw Repeated(name, what);
        return known;
    }

    /// <summary>
    /// ONNX Runtime reads a Constant node as an initializer. Where its name is that of another one, of an initializer or of an input, that is what becomes of
    /// it here; the others stay nodes.
    /// </summary>
    private void TakeRepeatedConstants(Graph graph, GraphProto proto)
    {
        var repeated = proto.Node.Where(static n => n is { OpType: "Constant", Output.Count: 1 } && Domains.Normalize(n.Domain).Length == 0
            && n.Output[0].Length > 0)
            .GroupBy(static n => n.Output[0], StringComparer.Ordinal).Where(same => same.Count() > 1 || Own(graph, same.Key) is not null)
            .SelectMany(static same => same).ToHashSet<NodeProto>(ReferenceEqualityComparer.Instance);
        if (repeated.Count == 0)
            return;
        var rest = proto.Node.Where(n => !repeated.Contains(n)).ToList();
        foreach (var constant in proto.Node.Where(repeated.Contains))
        {
            var name = constant.Output[0];
            var apart = new Graph(graph.Model);
            apart.AddValue(name);
            AddNode(apart, constant);
            NodeError.Guard(apart.Nodes[0], () => AddConstant(graph, name, Operators.Constant.Data(apart.Nodes[0]), "constant"));
        }
        proto.Node.Clear();
        proto.Node.AddRange(rest);
    }

    private void AddNode(Graph graph, NodeProto proto)
    {
        var inputs = new Value?[proto.Input.Count];
        for (var i = 0; i < inputs.Length; i++)
            if (proto.Input[i] is { Length: > 0 } name)
                inputs[i] = graph.Find(name) ?? throw new OnnxException(OnnxErrors.Wiring, $"{Describe(proto)} reads '{name}', which nothing makes",
                    proto.Name);
        // What an operator of the standard set means depends on the version: without one it would be a guess.
        if (Domains.Normalize(proto.Domain).Length == 0 && graph.Model.Opset == 0)
            throw new OnnxException(OnnxErrors.Version, $"{Describe(proto)} is of the standard operator set, of which the model imports no version",
                proto.Name);
        var outputs = proto.Output.Select(name => name.Length == 0 ? new Value(graph, "") : Own(graph, name)!).ToArray();
        var node = graph.AddNode(graph.Model.NextNodeId(), proto.OpType, Domains.Normalize(proto.Domain), inputs, outputs);
        node.Name = proto.Name;
        node.Overload = proto.Overload;
        node.DocString = proto.DocString;
        foreach (var entry in proto.MetadataProps)
            node.Metadata.Add(new(entry.Key, entry.Value));
        foreach (var attribute in proto.Attribute)
        {
            var name = attribute.Name;
            var value = AttributeReader.Read(attribute, external, g =>
            {
                var inner = new Graph(graph.Model, graph);
                Fill(inner, g);
                return inner;
            }, Describe(proto));
            if (!node.Attributes.TryAdd(name, value))
                throw new OnnxException(OnnxErrors.DuplicateName, $"{Describe(proto)} has two attributes named '{name}'", proto.Name);
        }
        node.Sources = [node.DisplayName];

        foreach (var field in NodeProto.Descriptor.Fields.InFieldNumberOrder())
            field.Accessor.Clear(proto);
        node.Carried = proto.CalculateSize() > 0 ? proto : null;
    }

    private static void SetType(Value value, ValueInfoProto info)
    {
        value.CarriedType = info;
        value.Type = TypeConversion.TensorTypeOf(info.Type);
        value.NonTensorType = value.Type is null ? info.Type : null;
    }

    private static Value? Own(Graph graph, string name) => graph.Find(name) is { } v && ReferenceEquals(v.Graph, graph) ? v : null;

    private static string Fresh(Graph graph, string name, string what)
    {
        if (name.Length == 0)
            throw new OnnxException(OnnxErrors.Wiring, $"a graph's {what} has no name");
        return Own(graph, name) is null ? name : throw Repeated(name, what);
    }

    private static OnnxException Repeated(string name, string what) => new(OnnxErrors.DuplicateName, $"'{name}' ({what}) names two values of one graph");

    private static string Describe(NodeProto node) => node.Name.Length > 0
        ? $"node '{node.Name}' ({node.OpType})"
        : $"node {node.OpType}({(node.Output.Count > 0 ? node.Output[0] : "")})";

    private static void SortIfNeeded(Graph graph)
    {
        var seen = new HashSet<Node>(graph.Nodes.Count);
        var sorted = true;
        foreach (var node in graph.Nodes)
        {
            foreach (var dependency in Graph.Dependencies(node))
            {
                if (ReferenceEquals(dependency.Producer, node))
                    throw new OnnxException(OnnxErrors.Wiring, $"node '{node.DisplayName}' reads its own output", node.DisplayName);
                if (dependency.Producer is { } producer && ReferenceEquals(producer.Graph, graph) && !seen.Contains(producer))
                    sorted = false;
            }
            seen.Add(node);
        }
        if (sorted)
            return;
        try
        {
            graph.Sort();
        }
        catch (InvalidOperationException e)
        {
            throw new OnnxException(OnnxErrors.Wiring, e.Message, null, e);
        }
    }
}
