namespace ModelBuild.Onnx.Tests;

/// <summary>Graphs made to exhaust time or memory.</summary>
public sealed class HostileGraphTests
{
    [Fact]
    public void Sizes_that_square_themselves_do_not_grow_without_end()
    {
        var model = new Model { Opset = 17 };
        var g = model.Graph;
        var x = g.AddInput("x", new(ElementType.Float, [Dimension.Named("a"), Dimension.Named("b"), Dimension.Named("c")]));
        var value = g.AddNode("ReduceSum", [g.AddNode("Shape", [x], ["s"]).Output], ["n"]).Output;
        for (var i = 0; i < 100; i++)
            value = g.AddNode("Add", [g.AddNode("Mul", [value, value], [$"m{i}"]).Output, value], [$"v{i}"]).Output;
        g.AddOutput(value);
        Simplifier.Run(model);
    }

    [Fact]
    public void A_kernel_far_larger_than_the_input_is_an_error_not_a_hang()
    {
        var model = new Model { Opset = 17 };
        var g = model.Graph;
        var x = g.AddInitializer("x", Tensor.Of(new float[4], 1, 1, 2, 2));
        var pool = g.AddNode("AveragePool", [x], ["y"]);
        pool.Attributes["kernel_shape"] = new long[] { 1 << 20, 1 << 20 };
        pool.Attributes["pads"] = new long[] { 1 << 20, 1 << 20, 1 << 20, 1 << 20 };
        pool.Attributes["strides"] = new long[] { 1 << 20, 1 << 20 };
        g.AddOutput(pool.Output);
        Assert.Equal(OnnxErrors.InvalidOperator, Assert.Throws<OnnxException>(() => new Interpreter(model).Run(new Dictionary<string, Tensor>())).Code);
    }

    [Theory]
    [InlineData("Range", "limit")]
    [InlineData("ConstantOfShape", "shape")]
    [InlineData("Tile", "repeats")]
    public void Outputs_beyond_the_limit_are_refused(string op, string argument)
    {
        var model = new Model { Opset = 17 };
        var g = model.Graph;
        var huge = g.AddInitializer(argument, op == "Range" ? Tensor.Scalar(1L << 40) : Tensor.Vector(1L << 40));
        var node = op switch
        {
            "Range" => g.AddNode(op, [g.AddInitializer("start", Tensor.Scalar(0L)), huge, g.AddInitializer("delta", Tensor.Scalar(1L))], ["y"]),
            "Tile" => g.AddNode(op, [g.AddInitializer("x", Tensor.Vector(1f)), huge], ["y"]),
            _ => g.AddNode(op, [huge], ["y"]),
        };
        g.AddOutput(node.Output);
        Assert.Equal(OnnxErrors.InvalidOperator, Assert.Throws<OnnxException>(() => new Interpreter(model).Run(new Dictionary<string, Tensor>())).Code);
        Simplifier.Run(model);
        Assert.Single(g.Nodes);
    }

    [Fact]
    public void A_long_chain_is_simplified_without_recursion()
    {
        var model = new Model { Opset = 17 };
        var g = model.Graph;
        var value = g.AddInput("x", TensorType.Of(ElementType.Float, 2));
        for (var i = 0; i < 20_000; i++)
            value = g.AddNode(i % 2 == 0 ? "Identity" : "Neg", [value], [$"v{i}"]).Output;
        g.AddOutput(value);
        value.Type = TensorType.Of(ElementType.Float, 2);
        Simplifier.Run(model);
        Assert.Equal(10_000, g.Nodes.Count);
    }

    [Theory]
    [InlineData(1)] // node
    [InlineData(5)] // initializer
    [InlineData(13)] // value_info
    [InlineData(999)] // a field that nobody knows
    public void Millions_of_empty_messages_are_refused_before_they_become_objects(int field)
    {
        byte[] empty = field < 16 ? [(byte)(field << 3 | 2), 0] : [(byte)(field << 3 & 0x7F | 0x80 | 2), (byte)(field >> 4), 0];
        var graph = new byte[9_000_000 * empty.Length];
        for (var i = 0; i < graph.Length; i++)
            graph[i] = empty[i % empty.Length];
        using var file = new MemoryStream();
        using (var output = new Google.Protobuf.CodedOutputStream(file, leaveOpen: true))
        {
            output.WriteRawTag(8, 8);
            output.WriteRawTag(7 << 3 | 2);
            output.WriteBytes(Google.Protobuf.UnsafeByteOperations.UnsafeWrap(graph));
        }
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(OnnxErrors.TooLarge, Assert.Throws<OnnxException>(() => OnnxReader.Read(file.ToArray())).Code);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 2 * file.Length);
    }
}
