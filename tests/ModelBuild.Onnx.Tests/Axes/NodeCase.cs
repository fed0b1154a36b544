namespace ModelBuild.Onnx.Tests;

/// <summary>One node by itself, with values of its inputs.</summary>
internal sealed class NodeCase
{
    private readonly Interpreter _interpreter;
    private readonly Value?[] _outputs;

    private NodeCase(string name, Model model, Node node, IReadOnlyDictionary<string, object?> inputs)
    {
        Name = name;
        Model = model;
        Node = node;
        Inputs = inputs;
        Types = ShapeInference.Prove(model, true);
        Opset = model.Opsets.GetValueOrDefault(node.Domain, 1);
        _interpreter = new(model) { MaxWork = 1 << 28 };
        _outputs = [.. node.Outputs.Select(static o => o.Name.Length > 0 ? o : null)];
    }

    public string Name { get; }

    public Model Model { get; }

    public Node Node { get; }

    public long Opset { get; }

    public InferenceResult Types { get; }

    /// <summary>Sizes by the names that they have where no size is known beforehand.</summary>
    public Dictionary<string, long> Sizes { get; private init; } = [];

    /// <summary>Values of the inputs that are not constants, by name.</summary>
    public IReadOnlyDictionary<string, object?> Inputs { get; }

    public Operator Operator => OperatorRegistry.Find(Node, Opset)!;

    /// <summary>A node with values of its inputs.</summary>
    /// <param name="name">Where it is from.</param>
    /// <param name="node">The node, in another model.</param>
    /// <param name="valueOf">Values of that model.</param>
    /// <param name="isConstant">Which inputs become constants of the node.</param>
    /// <param name="named">Whether every dimension of the other inputs has a name in place of its size.</param>
    public static NodeCase Of(string name, Node node, Func<Value, object?> valueOf, Func<Operator, int, bool> isConstant, bool named = false)
    {
        var sizes = new Dictionary<string, long>(StringComparer.Ordinal);
        TensorType Named(Tensor t, string of) => t.Type with
        {
            Shape = [.. t.Shape.Select((d, i) =>
            {
                sizes[$"{of}_{i}"] = d;
                return Dimension.Named($"{of}_{i}");
            })],
        };
        var model = new Model { IrVersion = 10 };
        foreach (var (domain, version) in node.Graph.Model.Opsets)
            model.Opsets[domain] = version;
        var op = OperatorRegistry.Find(node, model.Opsets.GetValueOrDefault(node.Domain, 1))!;
        var map = new Dictionary<Value, Value>();
        var given = new Dictionary<string, object?>();
        var constants = new Dictionary<Value, bool>();
        for (var i = 0; i < node.Inputs.Count; i++)
            if (node.Inputs[i] is { } v)
                constants[v] = constants.GetValueOrDefault(v, true) && isConstant(op, i);
        foreach (var value in Graph.Dependencies(node).Distinct())
        {
            var data = valueOf(value);
            if (constants.GetValueOrDefault(value, true) && data is Tensor constant)
                map[value] = model.Graph.AddInitializer(value.Name, constant);
            else
            {
                var own = model.Graph.UniqueName(value.Name);
                map[value] = model.Graph.AddInput(own, data is Tensor t ? named ? Named(t, own) : t.Type : null);
                map[value].NonTensorType = data is Tensor ? null : value.NonTensorType;
                given[map[value].Name] = data;
            }
        }
        var copy = model.Graph.AddNode(node.OpType, node.Inputs.Select(i => i is null ? null : map[i]), node.Outputs.Select(static o => o.Name), node.Domain);
        foreach (var (key, attribute) in node.Attributes)
            copy.Attributes[key] = GraphCloner.Clone(attribute, model.Graph, map);
        foreach (var output in copy.Outputs.Where(static o => o.Name.Length > 0))
            model.Graph.AddOutput(output);
        return new(name, model, copy, given) { Sizes = sizes };
    }

    /// <summary>The node's outputs, null where one is left out.</summary>
    public object?[] Run(IReadOnlyDictionary<string, object?>? inputs = null)
    {
        var values = _interpreter.RunValues(inputs ?? Inputs);
        return [.. _outputs.Select(o => o is null ? null : values[o.Name])];
    }

    public AxisMap Axes() => AxisMap.Of(Node, Types, Opset).Bind(Sizes);

    /// <summary>What two nodes that compute the same have in common.</summary>
    public string Key
    {
        get
        {
            var inputs = Node.Inputs.Select((v, i) => v is null ? "-" : v.Constant is { } c ? Text(c) : Inputs[v.Name] is Tensor t ? $"{t}" : Name);
            var attributes = Node.Attributes.OrderBy(static a => a.Key, StringComparer.Ordinal)
                .Select(a => $"{a.Key}={(a.Value.Value is Tensor t ? Text(t) : a.Value.Graphs.Any() ? Name : a.Value.ToString())}");
            return $"{Node.Domain}.{Node.OpType}.{Opset}({string.Join(", ", inputs)}){string.Join(", ", attributes)}";
        }
    }

    private static string Text(Tensor t) => ElementTypes.BitsOf(t.ElementType) == 0 || t.Length > 64 ? $"{t}" : $"{t}:{Convert.ToHexString(t.Bytes.Span)}";
}
