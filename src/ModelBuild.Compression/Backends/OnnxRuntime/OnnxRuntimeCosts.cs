using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>
/// Predicts what one call of a model costs in ONNX Runtime on one thread, from a cost table. It knows which nodes the runtime folds or fuses away:
/// arithmetic on constants, normalization and activation behind a weighted node, and quantize/dequantize pairs around operators with integer kernels.
/// </summary>
public sealed class OnnxRuntimeCosts : ICosts
{
    private const string Backend = OnnxRuntimeCompilerBackend.BackendName;
    private readonly CostTable _table;
    private readonly TypicalSizes _sizes;
    private readonly Dictionary<Node, bool> _constant = [];

    /// <summary>A model over a table.</summary>
    /// <param name="table">The costs.</param>
    /// <param name="dimensions">Sizes of named dimensions in a typical call; those that are missing count as 1.</param>
    public OnnxRuntimeCosts(CostTable table, IReadOnlyDictionary<string, long> dimensions)
    {
        _table = table;
        _sizes = new(dimensions);
    }

    /// <inheritdoc/>
    public double Predict(Graph graph) => _table.Planned(Backend, "call", "any", default) + PerNode(graph).Sum(n => n.Cost);

    /// <summary>Predicted nanoseconds of each node, those of bodies included; 0 for what is folded or fused away.</summary>
    public IEnumerable<(Node Node, double Cost)> PerNode(Graph graph) =>
        Counted(graph).Select(c => (c.Node, IsConstant(c.Node) ? 0 : c.Times * Charges(c.Node).Sum(Cost)));

    /// <summary>The nodes that run in a call, and how often: of an If its dearer branch, of Loop and Scan each turn.</summary>
    private IEnumerable<(Node Node, double Times)> Counted(Graph graph)
    {
        foreach (var node in graph.Nodes)
        {
            yield return (node, 1);
            var bodies = node.Attributes.Values.SelectMany(static a => a.Graphs).ToList();
            if (bodies.Count == 0)
                continue;
            var dearest = bodies.MaxBy(b => PerNode(b).Sum(static n => n.Cost))!;
            var turns = Turns(node);
            foreach (var (inner, times) in Counted(dearest))
                yield return (inner, times * turns);
        }
    }

    /// <summary>How often a body runs in a call; once where nothing tells.</summary>
    private double Turns(Node node)
    {
        if (node.Is("Loop") && node.Input(0)?.Constant is { Length: 1, ElementType: ElementType.Int64 } most)
            return Math.Clamp(most.Span<long>()[0], 1, 1 << 20);
        if (node.Is("Loop"))
            return node.Outputs.Skip(node.Inputs.Count - 2).Where(static o => o.Name.Length > 0).Select(o => _sizes.Along(o, 0)).DefaultIfEmpty(1).Max();
        return node.Is("Scan") ? _sizes.Along(node.Inputs[^1]!, 0) : 1;
    }

    /// <inheritdoc/>
    public double Of(Node node, bool integer) => IsConstant(node) || Charge(node, integer) is not { } charged ? 0 : Cost(charged);

    /// <inheritdoc/>
    public double Quantize(Value value) => Conversion("quantize", value).Sum(Cost);

    /// <inheritdoc/>
    public double Dequantize(Value value) => Conversion("dequantize", value).Sum(Cost);

    /// <summary>Whether a node computes on constants alone, so that the runtime does it once, at load.</summary>
    private bool IsConstant(Node node)
    {
        if (!_constant.TryGetValue(node, out var known))
            _constant.Add(node, known = node.Inputs.All(i => i is null || i.Constant is not null || i.Producer is { } p && IsConstant(p)));
        return known;
    }

    /// <summary>Predicted nanoseconds by key of the table: what a model's time is made of.</summary>
    public IReadOnlyDictionary<string, double> PerKey(Graph graph)
    {
        var costs = new SortedDictionary<string, double>(StringComparer.Ordinal) { [$"{Backend}/call/any"] = _table.Planned(Backend, "call", "any", default) };
        foreach (var (node, times) in Counted(graph).Where(c => !IsConstant(c.Node)))
            foreach (var charge in Charges(node))
            {
                var key = $"{Backend}/{charge.Class}/{charge.Precision}";
                costs[key] = costs.GetValueOrDefault(key) + times * Cost(charge);
            }
        return costs;
    }

    /// <summary>What a node is charged for.</summary>
    private readonly record struct Charged(string Class, string Precision, OperatorWork Work);

    private double Cost(Charged charged) => _table.Planned(Backend, charged.Class, charged.Precision, charged.Work);

    /// <summary>What a conversion is charged for: pictures change their layout, too, since integer convolutions work on channels last and float ones on blocks
    /// of channels.</summary>
    private IEnumerable<Charged> Conversion(string direction, Value value)
    {
        var elements = new OperatorWork(_sizes.Elements(value));
        yield return new(direction, "any", elements);
        if (value.Type is { HasRank: true, Rank: 4 })
            yield return new("move", "any", elements);
    }

    private IEnumerable<Charged> Charges(Node node) => node.OpType switch
    {
        "DequantizeLinear" => node.Output.Uses.Count > 0 && node.Output.Uses.All(u => IsInteger(u.Node)) && !node.Output.IsGraphOutput ? []
            : Conversion("dequantize", node.Output),
        "QuantizeLinear" => node.Inputs[0]?.Producer is { } p && IsInteger(p) ? [] : Conversion("quantize", node.Inputs[0]!),
        _ => Charge(node, IsInteger(node)) is { } charged ? [charged] : [],
    };

    private Charged? Charge(Node node, bool integer)
    {
        var output = _sizes.Elements(node.Outputs[0]);
        if (IsFusedActivation(node) || IsFusedNormalization(node) || node.OpType is "Identity" or "Dropout")
            return null;
        var precision = integer ? Precisions.Int8 : Precisions.Float32;
        switch (node.OpType)
        {
            case "Conv" or "ConvTranspose":
            {
                var weights = StaticShape(node.Inputs[1]!);
                var products = _sizes.MultiplyAdds(node);
                var depthwise = node.Int("group", 1) > 1 && weights is not null && weights[1] == 1;
                var positions = weights is null ? 1 : output / Math.Max(1, node.Is("Conv") ? weights[0] : weights[1] * node.Int("group", 1)) * Product(weights,
                    2);
                return IsPointwise(node, weights) && !depthwise ? new Charged("pointwise", precision, new(products, output))
                    : new Charged(depthwise ? "depthwise" : "conv", precision, new(products, output, positions));
            }
            case "Gemm" or "MatMul":
                return new Charged("gemm", precision, new(_sizes.MultiplyAdds(node), output, _sizes.Elements(node.Inputs[0]!)));
            case "MatMulInteger":
                return new Charged("gemm", Precisions.DynamicInt8, new(_sizes.MultiplyAdds(node), output, _sizes.Elements(node.Inputs[0]!)));
            // Measured together with the product that it feeds.
            case "DynamicQuantizeLinear":
                return null;
            case "LSTM" or "GRU" or "RNN":
                return new Charged("recurrent", Precisions.Float32, new(_sizes.MultiplyAdds(node)));
            case "DynamicQuantizeLSTM":
                return new Charged("recurrent", Precisions.DynamicInt8, new(_sizes.MultiplyAdds(node)));
            case "Softmax" or "LogSoftmax" or "LayerNormalization" or "Gelu" or "Erf" or "Exp" or "Sigmoid" or "Tanh":
                return new Charged("transcendental", Precisions.Float32, new(output));
            // Windows of 8-bit integers have no vector kernels: they take about ten times the time of floats.
            case "MaxPool" or "AveragePool":
                return new Charged("windowpool", precision, new(_sizes.Elements(node.Inputs[0]!)));
            case "GlobalAveragePool" or "GlobalMaxPool" or "ReduceMean" or "ReduceSum" or "ReduceMax":
                return new Charged("pool", precision, new(_sizes.Elements(node.Inputs[0]!)));
            case "Reshape" or "Flatten" or "Squeeze" or "Unsqueeze" or "Shape":
                return new Charged("view", "any", default);
            case "Transpose" or "Slice" or "Concat" or "Pad" or "Gather" or "Split" or "Resize" or "Expand" or "Tile":
                return new Charged("move", "any", new(output));
            // The multiplication by scales and the conversion behind an integer product are fused into it.
            case "Cast" when node.Inputs[0]?.Producer is { OpType: "MatMulInteger" }:
            case "Mul" when node.Inputs.Any(i => i?.Producer is { OpType: "Cast" } c && c.Inputs[0]?.Producer is { OpType: "MatMulInteger" }
                || i?.Producer is { OpType: "DynamicQuantizeLinear" }):
                return null;
            default:
                return new Charged("elementwise", precision, new(output));
        }
    }

    /// <summary>Whether a node runs in an integer kernel: it reads dequantized integers and, but for Gemm and MatMul, its output is quantized.</summary>
    private static bool IsInteger(Node node)
    {
        if (node.Domain.Length > 0 || node.OpType is not ("Conv" or "Gemm" or "MatMul" or "Add" or "Mul" or "Concat" or "GlobalAveragePool" or "AveragePool"))
            return node.Inputs.Count > 0 && node.Inputs[0]?.Type?.ElementType is ElementType.UInt8 or ElementType.Int8 && !node.Is("DequantizeLinear");
        var reads = node.Inputs[0]?.Producer is { OpType: "DequantizeLinear" };
        return reads && (node.OpType is "Gemm" or "MatMul" || node.Output.OnlyUser is { OpType: "QuantizeLinear" });
    }

    private static bool IsFusedActivation(Node node) => node.OpType is "Relu" or "Clip" or "LeakyRelu" && node.Inputs[0] is { } x
        && x.OnlyUser == node && x.Producer is { OpType: "Conv" or "Gemm" or "BatchNormalization" or "Add" };

    private static bool IsFusedNormalization(Node node) => node.Is("BatchNormalization") && node.Inputs[0] is { } x && x.OnlyUser == node
        && x.Producer is { OpType: "Conv" };

    private static bool IsPointwise(Node node, long[]? weights) => weights is not null && weights.Skip(2).All(k => k == 1)
        && (node.Ints("strides")?.All(s => s == 1) ?? true);

    /// <summary>What the node's operator states.</summary>

    private static long[]? StaticShape(Value value) => value.Constant?.Shape.ToArray() ?? value.Type?.StaticShape;

    private static double Product(long[] shape, int from)
    {
        double p = 1;
        for (var i = from; i < shape.Length; i++)
            p *= shape[i];
        return p;
    }
}
