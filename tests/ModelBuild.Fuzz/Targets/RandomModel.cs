using ModelBuild.Onnx;

namespace ModelBuild.Fuzz;

/// <summary>
/// A small valid model of known operators with random numbers, as exporters of all kinds write them: old operator sets, named and fixed sizes, stale
/// declarations, shared weights, branches, several outputs. The same seed gives the same model.
/// </summary>
internal sealed class RandomModel
{
    // None that jumps: what lies on an edge falls to either side by rounding.
    private static readonly string[] Unary = ["Relu", "Sigmoid", "Tanh", "LeakyRelu", "Abs", "Neg", "Exp", "Softplus", "Elu", "HardSigmoid", "Identity",
        "Sqrt", "Cos", "Dropout"];
    private static readonly string[] Binary = ["Add", "Mul", "Sub", "Max", "Min"];

    private readonly Random _random;
    private readonly Model _model;
    private readonly Graph _graph;
    private readonly List<Value> _values = [];
    private readonly List<Value> _weights = [];
    private int _names;

    private RandomModel(int seed)
    {
        _random = new(seed);
        var opset = Pick(8, 9, 11, 12, 13, 13, 17, 17, 18, 20, 21);
        _model = new() { IrVersion = opset < 9 ? 3 : 8, Opset = opset };
        _graph = _model.Graph;
    }

    /// <summary>Makes a model.</summary>
    public static Model Of(int seed) => new RandomModel(seed).Make();

    private T Pick<T>(params ReadOnlySpan<T> choices) => choices[_random.Next(choices.Length)];

    private bool Chance(double probability) => _random.NextDouble() < probability;

    private string Name(string kind) => $"{kind}{_names++}";

    private Tensor Numbers(double scale, params long[] shape)
    {
        var values = new float[Tensor.Count(shape)];
        for (var i = 0; i < values.Length; i++)
            values[i] = (float)((_random.NextDouble() * 2 - 1) * scale);
        return Tensor.Of(values, shape);
    }

    private Model Make()
    {
        var batch = Chance(0.6) ? Dimension.Named("n") : Dimension.Of(Pick(1L, 1, 2));
        var size = Chance(0.3) ? (Dimension)Dimension.Named("s") : Dimension.Of(Pick(6L, 8, 12));
        Dimension[] shape = _random.Next(3) switch
        {
            0 => [batch, Pick(1L, 3, 4, 8), size, Chance(0.5) ? size : Dimension.Of(8)],
            1 => [batch, size, Pick(8L, 16)],
            _ => [batch, Pick(8L, 16, 32, 64)],
        };
        _values.Add(_graph.AddInput("x", new(ElementType.Float, [.. shape])));
        if (Chance(0.2))
            _values.Add(_graph.AddInput("x2", new(ElementType.Float, [.. shape])));
        for (var steps = _random.Next(3, 14); steps > 0; steps--)
            TryStep();
        Finish();
        return _model;
    }

    // What inference refuses, or knows nothing of, is taken back.
    private void TryStep()
    {
        var before = _graph.Nodes.Count;
        var source = _values[Chance(0.7) ? _values.Count - 1 : _random.Next(_values.Count)];
        List<Value> made = [];
        try
        {
            made = [.. Step(source, source.Type!)];
            ShapeInference.Run(_model);
        }
        catch (OnnxException)
        {
            made = [];
        }
        var usable = made.Where(v => v.Type is { ElementType: ElementType.Float, HasRank: true } t
            && t.Shape.All(d => !d.IsUnknown && !(d.IsConstant && d.Value <= 0))).ToList();
        if (usable.Count == 0)
            foreach (var node in _graph.Nodes.Skip(before).Reverse().ToArray())
                _graph.Remove(node);
        _values.AddRange(usable);
    }

    private Value Node(string op, Value?[] inputs, params (string Name, AttributeValue Value)[] attributes)
    {
        var node = _graph.AddNode(op, inputs, [Name("v")]);
        if (Chance(0.5))
            node.Name = Name("node");
        foreach (var (name, value) in attributes)
            node.Attributes[name] = value;
        return node.Output;
    }

    private Value Constant(Tensor tensor)
    {
        if (Chance(0.8))
            return _graph.AddInitializer(Name("c"), tensor);
        var node = _graph.AddNode("Constant", [], [Name("k")]);
        node.Attributes["value"] = tensor;
        return node.Output;
    }

    /// <summary>Weights; sometimes those of an earlier layer.</summary>
    private Value Weights(double scale, params long[] shape)
    {
        if (Chance(0.15) && _weights.FirstOrDefault(w => w.Constant!.Shape.AsSpan().SequenceEqual(shape)) is { } shared)
            return shared;
        var weights = _graph.AddInitializer(Name("w"), Numbers(scale, shape));
        _weights.Add(weights);
        return weights;
    }

    private Value Integers(params long[] values) => Constant(Tensor.Vector(values));

    private IEnumerable<Value> Step(Value x, TensorType type)
    {
        var rank = type.Rank;
        long? channels = rank >= 2 && type.Shape[1].IsConstant ? type.Shape[1].Value : null;
        long? last = type.Shape[^1].IsConstant ? type.Shape[^1].Value : null;
        switch (_random.Next(24))
        {
            case 0 or 1 or 2 when rank == 4 && channels is { } c:
                yield return Convolution(x, c);
                break;
            case 3 or 4 when last is { } k && rank == 2:
            {
                var n = Pick(4L, 8, 16, 32);
                var transposed = Chance(0.5);
                yield return Node("Gemm", [x, transposed ? Weights(1 / Math.Sqrt(k), n, k) : Weights(1 / Math.Sqrt(k), k, n), Chance(0.8) || _model.Opset < 11
                    ? Constant(Numbers(0.2, n)) : null],
                    ("transB", transposed ? 1L : 0L), ("alpha", Chance(0.8) ? 1f : 0.7f));
                break;
            }
            case 5 or 6 when last is { } k:
            {
                var n = Pick(4L, 8, 16);
                var product = Node("MatMul", [x, Weights(1 / Math.Sqrt(k), k, n)]);
                yield return Chance(0.6) ? Node("Add", [product, Constant(Numbers(0.2, n))]) : product;
                break;
            }
            case 7 or 8 or 9:
                yield return Activation(x);
                break;
            case 10 or 11:
                // What is divided by values near zero has no digits left to compare.
                yield return Chance(0.1) ? Node("Div", [x, Constant(Tensor.Scalar(Pick(2f, -0.7f)))])
                    : Node(Pick<string>(Binary), Chance(0.5) ? [x, Other(x)] : [Other(x), x]);
                break;
            case 12 when rank == 4 && channels is { } c:
                yield return Node("BatchNormalization",
                    [x, Constant(Numbers(1, c)), Constant(Numbers(0.3, c)), Constant(Numbers(0.3, c)),
                    Constant(Tensor.Of(Enumerable.Range(0, (int)c).Select(i => 0.5f + i * 0.1f).ToArray(), c))]);
                break;
            case 13 when rank == 4:
                yield return Pooling(x);
                break;
            case 14:
            {
                var axis = (long)_random.Next(rank);
                var same = _values.Where(v => v.Type!.Rank == rank && Enumerable.Range(0, rank).All(i => i == axis || v.Type.Shape[i] == type.Shape[i]))
                    .ToList();
                yield return Node("Concat", [x, Pick<Value>([.. same])], ("axis", axis));
                break;
            }
            case 15:
            {
                var permutation = Enumerable.Range(0, rank).Select(i => (long)i).ToArray();
                if (rank > 2)
                    (permutation[1], permutation[^1]) = (permutation[^1], permutation[1]);
                yield return Node("Transpose", [x], ("perm", permutation));
                break;
            }
            case 16:
                yield return Chance(0.5) ? Node("Flatten", [x]) : Node("Reshape", [x, Integers(0, -1)]);
                break;
            case 17:
                yield return Node("Softmax", [x], ("axis", _model.Opset < 13 ? (long)(rank - 1) : Chance(0.8) ? -1 : 1));
                break;
            case 18 when last is > 2 and { } size && _model.Opset >= 10:
                yield return Node("Slice", [x, Integers(Chance(0.5) ? 0 : 1), Integers(Chance(0.5) ? size : -1), Integers(rank - 1), Chance(0.5) ? Integers(1)
                    : Integers(2)]);
                break;
            case 19:
                yield return _model.Opset < 18 ? Node("ReduceMean", [x], ("axes", new long[] { rank - 1 }), ("keepdims", 1L))
                    : Node("ReduceMean", [x, Integers(rank - 1)], ("keepdims", 1L));
                break;
            case 20 when rank == 4 && _model.Opset >= 11:
                yield return Node("Pad", [x, Integers(0, 0, 1, 1, 0, 0, 1, 0), Chance(0.5) ? Constant(Tensor.Scalar(Pick(0f, 0.5f, -1f))) : null],
                    ("mode", type.Shape.Skip(2).All(d => d is { IsConstant: true, Value: > 2 }) ? Pick("constant", "edge", "reflect")
                    : Pick("constant", "edge")));
                break;
            case 21 when rank == 4 && _model.Opset >= 13:
                yield return Node("Resize", [x, null, Constant(Tensor.Vector(1f, 1, 2, 2))], ("mode", Pick("nearest", "linear")));
                break;
            case 22 when rank == 3 && last is { } features:
                foreach (var output in Recurrent(x, features))
                    yield return output;
                break;
            case 23:
                foreach (var output in Special(x, type, rank, last))
                    yield return output;
                break;
        }
    }

    private Value Convolution(Value x, long c)
    {
        var depthwise = Chance(0.25) && c > 1;
        var (filters, kernel) = (depthwise ? c : Pick(4L, 8, 16), Pick(1L, 3, 3, 5));
        var transposed = !depthwise && Chance(0.12);
        var weights = Weights(1 / Math.Sqrt(c * kernel * kernel), depthwise ? [c, 1, kernel, kernel] : transposed ? [c, filters, kernel, kernel]
            : [filters, c, kernel, kernel]);
        (string, AttributeValue)[] attributes =
        [
            ("group", depthwise ? c : 1L), ("pads", new[] { kernel / 2, kernel / 2, kernel / 2, kernel / 2 }),
                ("strides", Chance(0.3) ? new[] { 2L, 2 } : new[] { 1L, 1 }),
            ("kernel_shape", new[] { kernel, kernel }),
        ];
        var y = Node(transposed ? "ConvTranspose" : "Conv", [x, weights, Chance(0.7) ? Constant(Numbers(0.3, filters)) : null], attributes);
        return Chance(0.5) ? Activation(y) : y;
    }

    private Value Activation(Value x) => _random.Next(6) switch
    {
        0 or 1 or 2 => Node("Relu", [x]),
        3 when _model.Opset >= 11 => Node("Clip", [x, Constant(Tensor.Scalar(0f)), Constant(Tensor.Scalar(6f))]),
        4 => Node("Mul", [x, Node("Sigmoid", [x])]),
        _ => Node(Pick<string>(Unary), [x]),
    };

    /// <summary>A second operand: a value of the same shape, a row, a scalar.</summary>
    private Value Other(Value x)
    {
        var same = _values.Where(v => v.Type!.Shape.SequenceEqual(x.Type!.Shape)).ToList();
        if (Chance(0.5) && same.Count > 0)
            return Pick<Value>([.. same]);
        return Constant(Chance(0.5) || !x.Type!.Shape[^1].IsConstant ? Tensor.Scalar(Pick(0.5f, 2f, -1.3f)) : Numbers(1, x.Type.Shape[^1].Value));
    }

    private Value Pooling(Value x) => _random.Next(3) switch
    {
        0 => Node("GlobalAveragePool", [x]),
        1 => Node("MaxPool", [x], ("kernel_shape", new[] { 2L, 2 }), ("strides", new[] { 2L, 2 })),
        _ => Node("AveragePool", [x], ("kernel_shape", new[] { 3L, 3 }), ("pads", new[] { 1L, 1, 1, 1 }), ("count_include_pad", Chance(0.5) ? 1L : 0L)),
    };

    private IEnumerable<Value> Recurrent(Value x, long features)
    {
        var hidden = Pick(4L, 8);
        var op = Pick("LSTM", "GRU", "RNN");
        var gates = op switch { "LSTM" => 4, "GRU" => 3, _ => 1 };
        var node = _graph.AddNode(op, [Node("Transpose", [x], ("perm", new[] { 1L, 0, 2 })), Weights(0.4, 1, gates * hidden, features),
            Weights(0.4, 1, gates * hidden, hidden), Chance(0.6) ? Constant(Numbers(0.2, 1, 2 * gates * hidden)) : null],
            [Name("v"), Name("v")]);
        node.Attributes["hidden_size"] = hidden;
        return [node.Outputs[0], node.Outputs[1]];
    }

    private IEnumerable<Value> Special(Value x, TensorType type, int rank, long? last)
    {
        switch (_random.Next(5))
        {
            case 0 when _model.Opset >= 13:
            {
                // What another tool quantized.
                var (scale, zero) = (Constant(Tensor.Scalar(0.05f)), Constant(Tensor.Scalar((byte)128)));
                return [Node("DequantizeLinear", [Node("QuantizeLinear", [x, scale, zero]), scale, zero])];
            }
            case 1 when _model.Opset >= 13 && last is > 3 and { } size && size % 2 == 0:
            {
                var split = _graph.AddNode("Split", [x, Integers(size / 2, size / 2)], [Name("v"), Name("v")]);
                split.Attributes["axis"] = (long)(rank - 1);
                return [split.Outputs[0], split.Outputs[1]];
            }
            case 2 when _model.Opset >= 17 && last is { } features:
                return [Node("LayerNormalization", [x, Constant(Numbers(1, features)), Constant(Numbers(0.2, features))], ("axis", -1L))];
            case 3 when _model.Opset >= 11:
            {
                // Both branches read what lies outside.
                var condition = Node("Greater", [Node("ReduceSum", _model.Opset >= 13 ? [x, null] : [x], ("keepdims", 0L)), Constant(Tensor.Scalar(0.1f))]);
                var node = _graph.AddNode("If", [condition], [Name("v")]);
                foreach (var (branch, op) in new[] { ("then_branch", "Relu"), ("else_branch", "Tanh") })
                {
                    var body = new Graph(_model, _graph) { Name = branch };
                    body.AddOutput(body.AddNode(op, [x], [branch == "then_branch" ? "inner" : Name("e")]).Output);
                    node.Attributes[branch] = body;
                }
                node.Output.Type = type;
                return [node.Output];
            }
            case 4 when _model.Opset >= 13:
            {
                // Sizes computed in the graph, as exporters write a flatten.
                var first = Node("Gather", [Node("Shape", [x]), Constant(Tensor.Scalar(0L))], ("axis", 0L));
                return [Node("Reshape", [x, Node("Concat", [Node("Unsqueeze", [first, Integers(0)]), Integers(-1)], ("axis", 0L))])];
            }
            default:
                return [];
        }
    }

    private void Finish()
    {
        var outputs = new List<Value> { _values[^1] };
        while (Chance(0.3))
            outputs.Add(_values[_random.Next(_values.Count)]);
        if (Chance(0.1) && _values[^1].Type is { Rank: >= 2 } scores)
        {
            var label = Node("ArgMax", [_values[^1]], ("axis", (long)(scores.Rank - 1)), ("keepdims", 0L));
            ShapeInference.Run(_model);
            outputs.Add(label);
        }
        foreach (var output in outputs.Distinct())
            _graph.AddOutput(output.IsGraphInput || output.Constant is not null ? Node("Identity", [output]) : output);
        ShapeInference.Run(_model);
        // Declarations of sizes that exporters took from the one input they traced.
        foreach (var output in _graph.Outputs)
            if (output.Type is { HasRank: true } t && Chance(0.25))
                output.Type = t with { Shape =
                    [.. t.Shape.Select(d => d.IsConstant ? d : Chance(0.3) ? Dimension.Of(1) : Chance(0.5) ? Dimension.Named(Name("d")) : Dimension.Unknown)] };
    }
}
