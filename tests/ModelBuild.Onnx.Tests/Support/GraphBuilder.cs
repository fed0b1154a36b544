namespace ModelBuild.Onnx.Tests;

/// <summary>Builds small models of one output, with inputs of random numbers.</summary>
internal sealed class GraphBuilder(long opset = 17)
{
    private readonly Random _random = new(11);

    public Model Model { get; } = new() { Opset = opset };

    public Dictionary<string, Tensor> Inputs { get; } = [];

    public Value Input(string name, params long[] shape)
    {
        Inputs[name] = Random(shape);
        return Model.Graph.AddInput(name, TensorType.Of(ElementType.Float, shape));
    }

    public Value Number(double value, params long[] shape) => Constant(Tensor.Of(new[] { (float)value }, shape));

    public Value Weights(params long[] shape) => Constant(Random(shape));

    public Value Integers(params long[] values) => Constant(Tensor.Vector(values));

    public Value Integer(long value) => Constant(Tensor.Scalar(value));

    public Value Constant(Tensor data) => Model.Graph.AddInitializer("constant", data);

    public Value Node(string opType, params Value?[] inputs) => Node(opType, inputs, []);

    public Value Node(string opType, Value?[] inputs, params (string Name, AttributeValue Value)[] attributes) => Nodes(opType, inputs, 1, attributes)[0];

    public IReadOnlyList<Value> Nodes(string opType, Value?[] inputs, int outputs, params (string Name, AttributeValue Value)[] attributes)
    {
        var (domain, name) = opType.Split(':') is [var d, var n] ? (d, n) : ("", opType);
        var node = Model.Graph.AddNode(name, inputs, Enumerable.Repeat(name.ToLowerInvariant(), outputs), domain);
        foreach (var (key, value) in attributes)
            node.Attributes[key] = value;
        node.Sources = [$"{name}{node.Id}"];
        return node.Outputs;
    }

    public Value Add(Value a, Value b) => Node("Add", a, b);

    public Value Sub(Value a, Value b) => Node("Sub", a, b);

    public Value Mul(Value a, Value b) => Node("Mul", a, b);

    public Value Div(Value a, Value b) => Node("Div", a, b);

    public Value Reduce(string opType, Value x, long axis, bool keep = true) => Model.Opset >= (opType == "ReduceSum" ? 13 : 18)
        ? Node(opType, [x, Integers(axis)], ("keepdims", keep ? 1L : 0L))
        : Node(opType, [x], ("axes", new[] { axis }), ("keepdims", keep ? 1L : 0L));

    public Value Mean(Value x, long axis = -1) => Reduce("ReduceMean", x, axis);

    public Value Transpose(Value x, params long[] order) => Node("Transpose", [x], ("perm", order));

    public Value Reshape(Value x, params long[] shape) => Node("Reshape", x, Integers(shape));

    /// <summary>Declares outputs, and finishes the model.</summary>
    public Model Finish(params Value[] outputs)
    {
        foreach (var output in outputs)
            Model.Graph.AddOutput(output);
        if (Model.Graph.Nodes.Any(n => n.Domain == "com.microsoft"))
            Model.Opsets["com.microsoft"] = 1;
        ShapeInference.Run(Model);
        // An output must be declared, with its element type at least.
        foreach (var output in outputs)
            output.Type ??= new(ElementType.Float, default);
        return Model;
    }

    private Tensor Random(long[] shape)
    {
        var data = new float[Tensor.Count(shape)];
        foreach (ref var x in data.AsSpan())
            x = _random.NextSingle() * 4 - 2;
        return Tensor.Of(data, shape);
    }
}
