using System.Collections.Immutable;
using Google.Protobuf;
using ModelBuild.Onnx.Proto;

namespace ModelBuild.Onnx;

/// <summary>Turns graphs into messages. Tensor data is shared, not copied.</summary>
/// <param name="data">Where large tensors go, or null to keep all of them in the message.</param>
internal sealed class GraphWriter(ExternalDataWriter? data)
{
    private ScopedNames _names = null!;

    /// <summary>The message of a model's main graph.</summary>
    public GraphProto WriteMain(Graph graph)
    {
        _names = new(graph);
        return Write(graph);
    }

    private GraphProto Write(Graph graph)
    {
        var proto = (graph.Carried as GraphProto)?.Clone() ?? new();
        if (graph.Name.Length > 0)
            proto.Name = graph.Name;
        if (graph.DocString.Length > 0)
            proto.DocString = graph.DocString;
        foreach (var (key, value) in graph.Metadata)
            proto.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
        foreach (var input in graph.Inputs)
            proto.Input.Add(Declaration(input));
        foreach (var output in graph.Outputs)
            proto.Output.Add(Declaration(output));
        foreach (var initializer in graph.Initializers)
        {
            var tensor = TensorWriter.Write(initializer.Constant!, initializer.CarriedTensor, data);
            tensor.Name = _names.Of(initializer);
            proto.Initializer.Add(tensor);
        }
        foreach (var (value, sparse) in graph.SparseInitializers)
        {
            var renamed = sparse.Values.Name == _names.Of(value) ? sparse : sparse.Clone();
            renamed.Values.Name = _names.Of(value);
            proto.SparseInitializer.Add(renamed);
        }
        foreach (var node in graph.Nodes)
            proto.Node.Add(Write(node));
        // Types that the file declared are written back; inferred ones are not, they only cost bytes.
        foreach (var value in graph.Values)
            if (value is { CarriedType: not null, IsGraphInput: false, IsGraphOutput: false })
                proto.ValueInfo.Add(Declaration(value));
        return proto;
    }

    private ValueInfoProto Declaration(Value value)
    {
        var info = TypeConversion.ToProto(value);
        info.Name = _names.Of(value);
        return info;
    }

    private NodeProto Write(Node node)
    {
        var proto = (node.Carried as NodeProto)?.Clone() ?? new();
        proto.Input.AddRange(node.Inputs.Select(i => i is null ? "" : _names.Of(i)));
        proto.Output.AddRange(node.Outputs.Select(_names.Of));
        proto.OpType = node.OpType;
        if (node.Name.Length > 0)
            proto.Name = node.Name;
        if (node.Domain.Length > 0)
            proto.Domain = node.Domain;
        if (node.Overload.Length > 0)
            proto.Overload = node.Overload;
        if (node.DocString.Length > 0)
            proto.DocString = node.DocString;
        foreach (var (key, value) in node.Metadata)
            proto.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
        foreach (var (name, value) in node.Attributes)
            proto.Attribute.Add(Write(name, value));
        return proto;
    }

    private AttributeProto Write(string name, AttributeValue attribute)
    {
        var proto = (attribute.Carried as AttributeProto)?.Clone() ?? new();
        proto.Name = name;
        proto.Type = (AttributeProto.Types.AttributeType)attribute.Kind;
        if (attribute.DocString.Length > 0)
            proto.DocString = attribute.DocString;
        if (attribute.ReferenceName is { } reference)
        {
            proto.RefAttrName = reference;
            return proto;
        }
        switch (attribute.Value)
        {
            case float f:
                proto.F = f;
                break;
            case long i:
                proto.I = i;
                break;
            case byte[] s:
                proto.S = ByteString.CopyFrom(s);
                break;
            case Tensor t:
                proto.T = TensorWriter.Write(t, proto.T, data);
                break;
            case Graph g:
                proto.G = Write(g);
                break;
            case ImmutableArray<float> floats:
                proto.Floats.AddRange(floats);
                break;
            case ImmutableArray<long> ints:
                proto.Ints.AddRange(ints);
                break;
            case ImmutableArray<byte[]> strings:
                proto.Strings.AddRange(strings.Select(ByteString.CopyFrom));
                break;
            case ImmutableArray<Tensor> tensors:
                var rests = proto.Tensors.ToArray();
                proto.Tensors.Clear();
                proto.Tensors.AddRange(tensors.Select((t, i) => TensorWriter.Write(t, rests.ElementAtOrDefault(i), data)));
                break;
            case ImmutableArray<Graph> graphs:
                proto.Graphs.AddRange(graphs.Select(Write));
                break;
            case SparseTensorProto sparse:
                proto.SparseTensor = sparse;
                break;
            case ImmutableArray<SparseTensorProto> sparse:
                proto.SparseTensors.AddRange(sparse);
                break;
            case TypeProto type:
                proto.Tp = type;
                break;
            case ImmutableArray<TypeProto> types:
                proto.TypeProtos.AddRange(types);
                break;
            default:
                throw new InvalidOperationException($"attribute '{name}' has a value of type {attribute.Value.GetType().Name}");
        }
        return proto;
    }
}
