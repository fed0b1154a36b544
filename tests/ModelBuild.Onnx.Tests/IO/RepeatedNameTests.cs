using Google.Protobuf;
using ModelBuild.Onnx.Proto;
using Type = ModelBuild.Onnx.Proto.AttributeProto.Types.AttributeType;

namespace ModelBuild.Onnx.Tests;

/// <summary>What is named twice is read wherever ONNX Runtime reads it, and means the same.</summary>
public sealed class RepeatedNameTests
{
    public static TheoryData<string> Cases => new(Models.Keys);

    private static Dictionary<string, Action<ModelProto>> Models => new()
    {
        ["two initializers"] = m => m.Graph.Initializer.AddRange([Dense("c", 1, 2), Dense("c", 3, 4)]),
        ["two constants"] = m => m.Graph.Node.AddRange([Constant("c", 1, 2), Constant("c", 3, 4)]),
        ["a constant and an initializer"] = m =>
        {
            m.Graph.Node.Add(Constant("c", 1, 2));
            m.Graph.Initializer.Add(Dense("c", 3, 4));
        },
        ["a constant and an input"] = m =>
        {
            m.Graph.Node.Add(Constant("c", 1, 2));
            m.Graph.Input.Add(Info("c"));
        },
        ["an initializer and a sparse one"] = m =>
        {
            m.Graph.Initializer.Add(Dense("c", 3, 4));
            m.Graph.SparseInitializer.Add(Sparse("c", 5));
        },
        ["an input and a sparse initializer"] = m =>
        {
            m.Graph.Input.Add(Info("c"));
            m.Graph.SparseInitializer.Add(Sparse("c", 5));
        },
        ["an input and an initializer"] = m =>
        {
            m.Graph.Input.Add(Info("c"));
            m.Graph.Initializer.Add(Dense("c", 3, 4));
        },
        ["two operator sets"] = m =>
        {
            m.Graph.Initializer.Add(Dense("c", 3, 4));
            m.OpsetImport.Insert(0, new OperatorSetIdProto { Domain = "", Version = 11 });
        },
        ["two operator sets, the older one last"] = m =>
        {
            m.Graph.Initializer.Add(Dense("c", 3, 4));
            m.OpsetImport.Add(new OperatorSetIdProto { Domain = "ai.onnx", Version = 12 });
        },
        ["an output twice"] = m =>
        {
            m.Graph.Initializer.Add(Dense("c", 3, 4));
            m.Graph.Output.Add(Info("y"));
        },
        ["an input and an initializer that are outputs"] = m =>
        {
            m.Graph.Initializer.Add(Dense("c", 3, 4));
            m.Graph.Output.AddRange([Info("x"), Info("c")]);
        },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_model_answers_as_in_ONNX_Runtime(string name)
    {
        // Once where the repeated name is read, and once where nothing reads it.
        foreach (var read in new[] { "c", "x" })
        {
            var proto = new ModelProto { IrVersion = 8, Graph = new() { Name = "g", Input = { Info("x") }, Output = { Info("y") } },
                OpsetImport = { new OperatorSetIdProto { Domain = "", Version = 17 } } };
            Models[name](proto);
            proto.Graph.Node.Add(new NodeProto { OpType = "Add", Input = { "x", read }, Output = { "y" } });
            var inputs = new Dictionary<string, Tensor> { ["x"] = Tensor.Vector(10f, 20f) };
            var bytes = proto.ToByteArray();
            var expected = OnnxRuntimeSession.RunValues(bytes, inputs.ToDictionary(i => i.Key, i => (object?)i.Value));

            var model = OnnxReader.Read(bytes);
            Assert.Equal(expected["y"] is Tensor y ? y.ToArray<float>() : [], new Interpreter(model).Run(inputs)["y"].ToArray<float>());
            Same(expected, OnnxRuntimeSession.Run(OnnxWriter.ToBytes(model), inputs));
            Simplifier.Run(model);
            Same(expected, OnnxRuntimeSession.Run(OnnxWriter.ToBytes(model), inputs));
        }
    }

    [SkippableFact]
    public void A_sparse_default_of_an_input_is_read()
    {
        var bytes = File.ReadAllBytes(Shared.Path("field/sparse-default-input/default.onnx"));
        var model = OnnxReader.Read(bytes);
        var x = Tensor.Of(new[] { 1f, 2, 3, 4, 5, 6 }, 2, 3);
        Simplifier.Run(model);
        var y = OnnxRuntimeSession.Run(OnnxWriter.ToBytes(model), new Dictionary<string, Tensor> { ["x"] = x }).Values.Single();
        Assert.Equal([1f, 7, 3, 4, 12, 6], y.ToArray<float>());
    }

    [Fact]
    public void A_constant_without_a_value_is_refused()
    {
        var proto = new ModelProto { IrVersion = 8, Graph = new() { Name = "g" }, OpsetImport = { new OperatorSetIdProto { Domain = "", Version = 17 } } };
        proto.Graph.Node.AddRange([Constant("c", 1), new NodeProto { OpType = "Constant", Output = { "c" } }]);
        Assert.Equal(OnnxErrors.InvalidOperator, Assert.Throws<OnnxException>(() => OnnxReader.Read(proto.ToByteArray())).Code);
    }

    [Theory]
    [InlineData("value")]
    [InlineData("sparse_value")]
    public void A_sparse_constant_is_one_with_its_zeros(string attribute)
    {
        var proto = new ModelProto { IrVersion = 8, Graph = new() { Name = "g", Input = { Info("x") }, Output = { Info("y") } },
            OpsetImport = { new OperatorSetIdProto { Domain = "", Version = 17 } } };
        proto.Graph.Node.Add(new NodeProto { OpType = "Constant", Output = { "c" },
            Attribute = { new AttributeProto { Name = attribute, Type = Type.SparseTensor, SparseTensor = Sparse("", 5) } } });
        proto.Graph.Node.Add(new NodeProto { OpType = "Add", Input = { "x", "c" }, Output = { "y" } });
        var inputs = new Dictionary<string, Tensor> { ["x"] = Tensor.Vector(10f, 20f) };
        var model = OnnxReader.Read(proto.ToByteArray());
        Simplifier.Run(model);
        Assert.Equal([10f, 25f], OnnxRuntimeSession.Run(OnnxWriter.ToBytes(model), inputs)["y"].ToArray<float>());
    }

    private static void Same(IReadOnlyDictionary<string, object?> expected, IReadOnlyDictionary<string, Tensor> actual)
    {
        Assert.Equal(expected.Keys.Order(), actual.Keys.Order());
        Assert.All(expected, e => Assert.Equal(((Tensor)e.Value!).ToArray<float>(), actual[e.Key].ToArray<float>()));
    }

    private static ValueInfoProto Info(string name) => new() { Name = name, Type = TypeConversion.ToProto(TensorType.Of(ElementType.Float, 2)) };

    private static TensorProto Dense(string name, params float[] values) => new() { Name = name, DataType = (int)ElementType.Float, Dims = { values.Length },
        FloatData = { values } };

    private static NodeProto Constant(string output, params float[] values) =>
        new() { OpType = "Constant", Output = { output }, Attribute = { new AttributeProto { Name = "value", Type = Type.Tensor, T = Dense("", values) } } };

    /// <summary>Two elements, the second of which is given.</summary>
    private static SparseTensorProto Sparse(string name, float second) =>
        new() { Values = Dense(name, second), Indices = new TensorProto { DataType = (int)ElementType.Int64, Dims = { 1 }, Int64Data = { 1L } },
            Dims = { 2L } };
}
