using Google.Protobuf;
using Google.Protobuf.Reflection;
using ModelBuild.Onnx.Proto;
using Type = ModelBuild.Onnx.Proto.AttributeProto.Types.AttributeType;

namespace ModelBuild.Onnx.Tests;

/// <summary>A model that uses every field of every message comes back as the same message, fields of versions to come included.</summary>
public sealed class EveryFieldTests
{
    // Typed data comes back raw, and data in other files comes back in the model: the round trip of the published models covers both. Segments are refused.
    private static readonly string[] OtherForms =
    [
        "onnx.TensorProto.float_data", "onnx.TensorProto.int32_data", "onnx.TensorProto.int64_data", "onnx.TensorProto.double_data",
            "onnx.TensorProto.uint64_data",
        "onnx.TensorProto.external_data", "onnx.TensorProto.data_location", "onnx.TensorProto.segment",
        "onnx.TensorProto.Segment.begin", "onnx.TensorProto.Segment.end",
    ];

    [Fact]
    public void Every_field_survives()
    {
        var model = Everything();
        var used = new HashSet<string>();
        Collect(model, used);
        var fields = new HashSet<MessageDescriptor>();
        Reach(ModelProto.Descriptor, fields);
        Assert.Equal(OtherForms.Order(), fields.SelectMany(m => m.Fields.InDeclarationOrder()).Select(f => f.FullName).Where(f => !used.Contains(f)).Order());

        Assert.Equal(model, ModelProto.Parser.ParseFrom(OnnxWriter.ToBytes(OnnxReader.Read(model.ToByteArray()))));
        Assert.Equal(model, ModelProto.Parser.ParseFrom(OnnxWriter.ToBytes(OnnxReader.Read(model.ToByteArray()).Clone())));
    }

    [Fact]
    public void A_string_that_is_not_UTF8_is_refused_not_changed()
    {
        var model = new ModelProto { IrVersion = 8,
            Graph = new() { Initializer = { new TensorProto { Name = "s", DataType = 8, Dims = { 1 }, StringData = { ByteString.CopyFrom(0xFF) } } } } };
        Assert.Equal(OnnxErrors.Tensor, Assert.Throws<OnnxException>(() => OnnxReader.Read(model.ToByteArray())).Code);
    }

    private static ModelProto Everything()
    {
        var graph = Future(new GraphProto
        {
            Name = "main",
            DocString = "about the graph",
            MetadataProps = { Entry("graph") },
            QuantizationAnnotation = { new TensorAnnotation { TensorName = "x", QuantParameterTensorNames = { Entry("SCALE_TENSOR") } } },
            Input = { Info("x", Tensor(1, "batch")), Info("sequence", Sequence()), Info("map", Map()), Info("optional", Optional()), Info("sparse", Sparse()),
                Info("opaque", Opaque()), Info("untyped", null) },
            SparseInitializer = { SparseData("compressed") },
            Node =
            {
                Future(new NodeProto
                {
                    Name = "node",
                    OpType = "Everything",
                    Domain = "some.domain",
                    Overload = "second",
                    DocString = "about the node",
                    MetadataProps = { Entry("node") },
                    Input = { "x", "", "compressed" },
                    Output = { "y", "", "z" },
                }),
            },
            Output = { Info("y", Tensor(16)), Info("z", Sequence()) },
        });
        // All element types, from 2 bits to 128.
        foreach (var type in Enum.GetValues<ElementType>())
            if (type is not (ElementType.Undefined or ElementType.String))
                graph.Initializer.Add(Data($"initializer {type}", type));
        graph.Initializer.Add(Future(new TensorProto { Name = "strings", DataType = 8, Dims = { 2 },
            StringData = { ByteString.CopyFromUtf8("ä"), ByteString.Empty }, DocString = "about strings", MetadataProps = { Entry("strings") } }));
        graph.ValueInfo.Add(Info("initializer Float", Tensor(1, [null])));
        graph.Node[0].Attribute.AddRange([.. Attributes().OrderBy(a => a.Name, StringComparer.Ordinal)]);

        return Future(new ModelProto
        {
            IrVersion = 11,
            ProducerName = "producer",
            ProducerVersion = "1.2",
            Domain = "model.domain",
            ModelVersion = 7,
            DocString = "about the model",
            MetadataProps = { Entry("model") },
            OpsetImport = { new OperatorSetIdProto { Domain = "", Version = 23 }, new OperatorSetIdProto { Domain = "ai.onnx.ml", Version = 5 } },
            Graph = graph,
            TrainingInfo =
            {
                new TrainingInfoProto { Initialization = new() { Name = "initialization" }, Algorithm = new() { Name = "algorithm" },
                    InitializationBinding = { Entry("a") }, UpdateBinding = { Entry("b") } },
            },
            Functions =
            {
                Future(new FunctionProto
                {
                    Name = "Everything",
                    Domain = "some.domain",
                    Overload = "second",
                    Input = { "a", "b", "c" },
                    Output = { "d", "e", "f" },
                    Attribute = { "float" },
                    AttributeProto = { new AttributeProto { Name = "alpha", Type = Type.Float, F = 1 } },
                    DocString = "about the function",
                    OpsetImport = { new OperatorSetIdProto { Domain = "", Version = 23 } },
                    ValueInfo = { Info("d", Tensor(1)) },
                    MetadataProps = { Entry("function") },
                    Node = { new NodeProto { OpType = "Elu", Input = { "a" }, Output = { "d" },
                        Attribute = { new AttributeProto { Name = "alpha", Type = Type.Float, RefAttrName = "alpha" } } } },
                }),
            },
        });
    }

    private static IEnumerable<AttributeProto> Attributes()
    {
        yield return Future(new AttributeProto { Name = "float", Type = Type.Float, F = 0, DocString = "about the attribute" });
        yield return new() { Name = "int", Type = Type.Int, I = -1 };
        yield return new() { Name = "string", Type = Type.String, S = ByteString.CopyFrom(0xFF, 0) };
        yield return new() { Name = "tensor", Type = Type.Tensor, T = Data("named", ElementType.BFloat16) };
        yield return new() { Name = "graph", Type = Type.Graph,
            G = new() { Name = "inner", Node = { new NodeProto { OpType = "Identity", Input = { "x" }, Output = { "captured" } } },
            Output = { Info("captured", null) } } };
        yield return new() { Name = "sparse", Type = Type.SparseTensor, SparseTensor = SparseData("in an attribute") };
        yield return new() { Name = "type", Type = Type.TypeProto, Tp = Map() };
        yield return new() { Name = "floats", Type = Type.Floats, Floats = { 1, float.NaN } };
        yield return new() { Name = "ints", Type = Type.Ints, Ints = { long.MinValue } };
        yield return new() { Name = "strings", Type = Type.Strings, Strings = { ByteString.Empty, ByteString.CopyFrom(0xFE) } };
        yield return new() { Name = "tensors", Type = Type.Tensors,
            Tensors = { Data("first", ElementType.Int4), new TensorProto { DataType = 1, Dims = { 0 }, RawData = ByteString.Empty } } };
        yield return new() { Name = "graphs", Type = Type.Graphs, Graphs = { new GraphProto { Name = "one" }, new GraphProto { Name = "two" } } };
        yield return new() { Name = "sparse tensors", Type = Type.SparseTensors, SparseTensors = { SparseData("one"), SparseData("two") } };
        yield return new() { Name = "types", Type = Type.TypeProtos, TypeProtos = { Tensor(1), Opaque() } };
    }

    private static StringStringEntryProto Entry(string key) => new() { Key = key, Value = $"value of {key}" };

    private static ValueInfoProto Info(string name, TypeProto? type)
    {
        var info = Future(new ValueInfoProto { Name = name, DocString = $"about {name}", MetadataProps = { Entry(name) } });
        if (type is not null)
            info.Type = type;
        return info;
    }

    private static TypeProto Tensor(int type, params string?[] dims)
    {
        var shape = new TensorShapeProto { Dim = { new TensorShapeProto.Types.Dimension { DimValue = 3, Denotation = "DATA_CHANNEL" } } };
        foreach (var d in dims)
            shape.Dim.Add(d is null ? new TensorShapeProto.Types.Dimension() : new() { DimParam = d });
        return new() { TensorType = new() { ElemType = type, Shape = shape }, Denotation = "TENSOR" };
    }

    private static TypeProto Sequence() => new() { SequenceType = new() { ElemType = Tensor(7) } };

    private static TypeProto Map() => new() { MapType = new() { KeyType = 8, ValueType = Tensor(1) } };

    private static TypeProto Optional() => new() { OptionalType = new() { ElemType = Sequence() } };

    private static TypeProto Sparse() => new() { SparseTensorType = new() { ElemType = 1, Shape = Tensor(1).TensorType.Shape } };

    private static TypeProto Opaque() => new() { OpaqueType = new() { Domain = "some.domain", Name = "thing" } };

    private static TensorProto Data(string name, ElementType type) => Future(new TensorProto
    {
        Name = name,
        DataType = (int)type,
        Dims = { 5, 1 },
        RawData = ByteString.CopyFrom([.. Enumerable.Range(1, (int)ElementTypes.ByteSize(type, 5)).Select(i => (byte)i)]),
        DocString = $"about {name}",
        MetadataProps = { Entry(name) },
    });

    private static SparseTensorProto SparseData(string name) =>
        new() { Values = Data(name, ElementType.Float), Indices = Data($"indices of {name}", ElementType.Int64), Dims = { 100 } };

    /// <summary>Adds a field that no version defines: what a later one may add.</summary>
    private static T Future<T>(T message) where T : IMessage
    {
        using var bytes = new MemoryStream();
        using (var output = new CodedOutputStream(bytes, leaveOpen: true))
        {
            output.WriteTag(1000, WireFormat.WireType.LengthDelimited);
            output.WriteString("from the future");
        }
        message.MergeFrom(bytes.ToArray());
        return message;
    }

    private static void Collect(IMessage message, HashSet<string> used)
    {
        foreach (var field in message.Descriptor.Fields.InDeclarationOrder())
        {
            var value = field.Accessor.GetValue(message);
            var items = field.IsRepeated ? (System.Collections.IList)value : field.Accessor.HasValue(message) ? new[] { value } : [];
            foreach (var item in items)
            {
                used.Add(field.FullName);
                if (item is IMessage inner)
                    Collect(inner, used);
            }
        }
    }

    private static void Reach(MessageDescriptor type, HashSet<MessageDescriptor> found)
    {
        if (found.Add(type))
            foreach (var field in type.Fields.InDeclarationOrder())
                if (field.FieldType == FieldType.Message)
                    Reach(field.MessageType, found);
    }
}
