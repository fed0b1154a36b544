using Google.Protobuf;
using ModelBuild.Onnx.Proto;
using AttributeType = ModelBuild.Onnx.Proto.AttributeProto.Types.AttributeType;

namespace ModelBuild.Onnx.Tests;

public sealed class FunctionInlinerTests
{
    [Fact]
    public void A_call_becomes_the_body_with_the_attributes_of_the_call()
    {
        var bytes = Model(recursive: false).ToByteArray();
        var inputs = new Dictionary<string, Tensor> { ["x"] = Tensor.Vector(-2f, 1f, 3f) };
        var expected = OnnxRuntimeSession.Run(bytes, inputs)["y"].ToArray<float>();

        Assert.Equal(expected, new Interpreter(OnnxReader.Read(bytes)).Run(inputs)["y"].ToArray<float>());
        var model = OnnxReader.Read(bytes);
        FunctionInliner.Run(model);
        Assert.Equal(["Constant", "LeakyRelu", "Add", "Constant", "LeakyRelu", "Add"], model.Graph.Nodes.Select(n => n.OpType));
        Assert.All(model.Graph.Nodes.Take(3), n => Assert.Equal(["first"], n.Sources.ToArray()));
        Assert.Equal(expected, OnnxRuntimeSession.Run(OnnxWriter.ToBytes(model), inputs)["y"].ToArray<float>());
    }

    [Fact]
    public void A_function_that_calls_itself_is_refused()
    {
        var model = OnnxReader.Read(Model(recursive: true).ToByteArray());
        Assert.Equal(OnnxErrors.Wiring, Assert.Throws<OnnxException>(() => FunctionInliner.Run(model)).Code);
    }

    [Fact]
    public void Functions_that_multiply_are_bounded()
    {
        // Each level calls the next twice: 2^30 nodes.
        var proto = Model(recursive: false);
        proto.Functions.Clear();
        for (var level = 0; level < 30; level++)
        {
            var next = level == 29 ? "Relu" : $"f{level + 1}";
            var domain = level == 29 ? "" : "local";
            proto.Functions.Add(new FunctionProto
            {
                Name = level == 0 ? "Shifted" : $"f{level}", Domain = "local", Input = { "a" }, Output = { "c" },
                OpsetImport = { new OperatorSetIdProto { Version = 17 }, new OperatorSetIdProto { Domain = "local", Version = 1 } },
                Node = { new NodeProto { OpType = next, Domain = domain, Input = { "a" }, Output = { "b" } },
                    new NodeProto { OpType = next, Domain = domain, Input = { "b" }, Output = { "c" } } },
            });
        }
        foreach (var node in proto.Graph.Node)
            node.Attribute.Clear();
        var model = OnnxReader.Read(proto.ToByteArray());
        Assert.Equal(OnnxErrors.TooLarge, Assert.Throws<OnnxException>(() => FunctionInliner.Run(model)).Code);
    }

    /// <summary>y = f(f(x, slope 0.5)), f(a) = LeakyRelu(a, slope) + 1.</summary>
    private static ModelProto Model(bool recursive)
    {
        var type = TypeConversion.ToProto(TensorType.Of(ElementType.Float, 3));
        var body = new FunctionProto
        {
            Name = "Shifted", Domain = "local", Input = { "a" }, Output = { "c" },
            AttributeProto = { new AttributeProto { Name = "slope", Type = AttributeType.Float, F = 0.25f } },
            OpsetImport = { new OperatorSetIdProto { Version = 17 }, new OperatorSetIdProto { Domain = "local", Version = 1 } },
            Node =
            {
                new NodeProto { OpType = "Constant", Output = { "one" },
                    Attribute = { new AttributeProto { Name = "value_float", Type = AttributeType.Float, F = 1 } } },
                new NodeProto { OpType = "LeakyRelu", Input = { "a" }, Output = { "b" },
                    Attribute = { new AttributeProto { Name = "alpha", Type = AttributeType.Float, RefAttrName = "slope" } } },
                recursive ? new NodeProto { OpType = "Shifted", Domain = "local", Input = { "b" }, Output = { "c" } }
                    : new NodeProto { OpType = "Add", Input = { "b", "one" }, Output = { "c" } },
            },
        };
        return new()
        {
            IrVersion = 8,
            OpsetImport = { new OperatorSetIdProto { Version = 17 }, new OperatorSetIdProto { Domain = "local", Version = 1 } },
            Functions = { body },
            Graph = new()
            {
                Name = "g",
                Input = { new ValueInfoProto { Name = "x", Type = type } },
                Output = { new ValueInfoProto { Name = "y", Type = type.Clone() } },
                Node =
                {
                    new NodeProto { Name = "first", OpType = "Shifted", Domain = "local", Input = { "x" }, Output = { "z" },
                        Attribute = { new AttributeProto { Name = "slope", Type = AttributeType.Float, F = 0.5f } } },
                    new NodeProto { Name = "second", OpType = "Shifted", Domain = "local", Input = { "z" }, Output = { "y" } },
                },
            },
        };
    }
}
