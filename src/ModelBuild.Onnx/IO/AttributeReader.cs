using System.Collections.Immutable;
using ModelBuild.Onnx.Proto;
using Type = ModelBuild.Onnx.Proto.AttributeProto.Types.AttributeType;

namespace ModelBuild.Onnx;

/// <summary>Turns attribute messages into attribute values. The message is consumed.</summary>
internal static class AttributeReader
{
    public static AttributeValue Read(AttributeProto proto, ExternalData external, Func<GraphProto, Graph> readGraph, string node)
    {
        var type = proto.Type == Type.Undefined ? Guess(proto) : proto.Type;
        var where = $"attribute '{proto.Name}' of {node}";
        if (proto.RefAttrName.Length > 0)
            return new((AttributeKind)type, 0L) { ReferenceName = proto.RefAttrName, DocString = proto.DocString, Carried = Rest(proto) };
        object value = type switch
        {
            Type.Float => proto.F,
            Type.Int => proto.I,
            Type.String => proto.S.ToByteArray(),
            Type.Tensor when proto.T is not null => TensorReader.Read(proto.T, external, where),
            Type.Graph when proto.G is not null => readGraph(proto.G),
            Type.Floats => proto.Floats.ToImmutableArray(),
            Type.Ints => proto.Ints.ToImmutableArray(),
            Type.Strings => proto.Strings.Select(s => s.ToByteArray()).ToImmutableArray(),
            Type.Tensors => proto.Tensors.Select(t => TensorReader.Read(t, external, where)).ToImmutableArray(),
            Type.Graphs => proto.Graphs.Select(readGraph).ToImmutableArray(),
            Type.SparseTensor when proto.SparseTensor is not null => SparseTensorReader.Check(proto.SparseTensor),
            Type.SparseTensors => proto.SparseTensors.Select(SparseTensorReader.Check).ToImmutableArray(),
            Type.TypeProto when proto.Tp is not null => proto.Tp,
            Type.TypeProtos => proto.TypeProtos.ToImmutableArray(),
            _ => throw new OnnxException(OnnxErrors.Corrupt, $"{where} has no value of the type {type} that it states", node),
        };
        return new((AttributeKind)type, value) { DocString = proto.DocString, Carried = Rest(proto) };
    }

    /// <summary>What the message holds apart from name and value, or null where that is nothing.</summary>
    private static AttributeProto? Rest(AttributeProto proto)
    {
        foreach (var field in AttributeProto.Descriptor.Fields.InFieldNumberOrder())
            if (field.FieldNumber is not (AttributeProto.TFieldNumber or AttributeProto.TensorsFieldNumber))
                field.Accessor.Clear(proto);
        if (proto.T is { } tensor && !HasRest(tensor))
            proto.T = null;
        if (proto.Tensors.Count(HasRest) == 0)
            proto.Tensors.Clear();
        return proto.CalculateSize() > 0 ? proto : null;
    }

    // Nobody reads the name of a tensor in an attribute, so it stays with it.
    private static bool HasRest(TensorProto tensor)
    {
        var name = tensor.Name;
        var rest = TensorReader.Rest(tensor) is not null;
        if (name.Length > 0)
            tensor.Name = name;
        return rest || name.Length > 0;
    }

    // The type was not always written; then the one field that is there tells.
    private static Type Guess(AttributeProto p) =>
        p.HasF ? Type.Float : p.HasI ? Type.Int : p.HasS ? Type.String : p.T is not null ? Type.Tensor : p.G is not null ? Type.Graph
        : p.Floats.Count > 0 ? Type.Floats : p.Ints.Count > 0 ? Type.Ints : p.Strings.Count > 0 ? Type.Strings
        : p.Tensors.Count > 0 ? Type.Tensors : p.Graphs.Count > 0 ? Type.Graphs : Type.Undefined;
}
