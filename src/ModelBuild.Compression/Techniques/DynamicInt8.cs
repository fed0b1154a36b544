using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>
/// Dynamic 8-bit quantization of Gemm, MatMul, LSTM and, on backends that compute it, GRU: 8-bit weights, activations quantized by their range in each call.
/// Needs no data. Convolutions are
/// left alone: their dynamic integer kernel (ConvInteger) is several times slower than float.
/// </summary>
public sealed class DynamicInt8 : Technique<DynamicInt8Plan>
{
    private const string QuantizedGru = "DynamicQuantizeGRU";

    /// <summary>The argument for one scale for all weights of a direction of an LSTM: ONNX Runtime's kernel is faster for it, and what it gives is
    /// farther off.</summary>
    private const string PerTensor = "per-tensor";

    /// <inheritdoc/>
    public override string Name => "dynamic-int8";

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Operators { get; } = [.. WeightedNode.Operators.Where(static o => o != "Conv"), "LSTM", "GRU"];

    /// <inheritdoc/>
    public override IReadOnlyList<Offer> Offers { get; } = [new([], NeedsProof: true, RestBits: 8), new([PerTensor], NeedsProof: true, RestBits: 8)];

    /// <inheritdoc/>
    public override string Describe(RecipeStep step) => "8-bit integer arithmetic, whose inputs are rounded in every call";

    /// <inheritdoc/>
    protected override JsonTypeInfo<DynamicInt8Plan> PlanType => PlanJson.Default.DynamicInt8Plan;

    /// <inheritdoc/>
    public override void Check(RecipeStep step)
    {
        if (step.Arguments.FirstOrDefault(a => a != PerTensor) is { } unknown)
            throw new CompressionException(Codes.BadArgument,
                $"'{step}': '{unknown}' is no argument of {Name}{Suggestion.For(unknown, [PerTensor])}; there is {PerTensor}", "Technique");
    }

    /// <inheritdoc/>
    protected override DynamicInt8Plan? Plan(StepContext context)
    {
        // DynamicQuantizeLinear makes unsigned integers: nothing for profiles that multiply signed ones.
        if (context.Profile.Activations != ElementType.UInt8)
            return null;
        var limit = context.Profile.WeightLimit;
        var perTensor = context.Step.Arguments.Contains(PerTensor);
        var hasLstm = false;
        var layers = new List<RoundedLayer>();
        foreach (var node in context.Model.Nodes)
        {
            if (!Operators.Contains(node.OpType) || context.Floats.ContainsKey(node.Key))
                continue;
            if (Dense(node) is { } dense)
                layers.Add(new(PlannedLayer.Of(node), limit, WeightError.Of(dense.Weights.Constant!, dense.Axis, limit)));
            else if (IsQuantizableLstm(node))
            {
                layers.Add(new(PlannedLayer.Of(node), limit, WeightError.Of(node.Input(2)!.Constant!, 0, limit, AxesOfScales(perTensor))));
                hasLstm = true;
            }
            else if (context.Costs.Takes(QuantizedGru) && IsQuantizableGru(node))
                layers.Add(new(PlannedLayer.Of(node), limit, WeightError.Of(node.Input(2)!.Constant!, 0, limit, AxesOfScales(false))));
        }
        // Without an LSTM it would be the same once more.
        return layers.Count == 0 || perTensor && !hasLstm ? null : new() { Layers = layers, PerTensor = perTensor };
    }

    private static WeightedNode? Dense(Node node) => node.Is("Conv") ? null : WeightedNode.Of(node);

    /// <summary>What DynamicQuantizeLSTM takes: constant W and R, the default activations, no clipping of cells.</summary>
    private static bool IsQuantizableLstm(Node node) => node.Is("LSTM")
        && node.Input(1)?.Constant is { ElementType: ElementType.Float } && node.Input(2)?.Constant is { ElementType: ElementType.Float }
        && node.Input(7) is null
        && !node.Attributes.ContainsKey("activations") && !node.Attributes.ContainsKey("clip") && node.Int("input_forget") == 0 && node.Int("layout") == 0;

    /// <summary>A GRU of nearly all models: constant W and R, sigmoid and tanh, no clipping.</summary>
    private static bool IsQuantizableGru(Node node) => node.Is("GRU")
        && node.Input(1)?.Constant is { ElementType: ElementType.Float } && node.Input(2)?.Constant is { ElementType: ElementType.Float }
        && !node.Attributes.ContainsKey("activations") && !node.Attributes.ContainsKey("clip") && node.Int("layout") == 0;

    /// <inheritdoc/>
    protected override void Apply(Model model, DynamicInt8Plan plan)
    {
        var layers = plan.Layers.ToDictionary(l => l.Layer.Key, StringComparer.Ordinal);
        foreach (var node in model.Nodes.ToArray())
        {
            if (!layers.TryGetValue(node.Key, out var layer))
                continue;
            if (node.Is("LSTM"))
                RewriteRecurrent(model, node, layer.WeightLimit, AxesOfScales(plan.PerTensor), Domains.Microsoft, "DynamicQuantizeLSTM");
            else if (node.Is("GRU"))
                RewriteRecurrent(model, node, layer.WeightLimit, AxesOfScales(false), Domains.ModelBuild, QuantizedGru);
            else
                RewriteDense(node.Graph, node, Dense(node)!, layer.WeightLimit);
        }
        Sweep.Run(model);
    }

    /// <summary>
    /// x·W + b becomes DynamicQuantizeLinear, MatMulInteger, Cast, Mul by (scale of x · scales of W), Add: standard operators that runtimes fuse.
    /// </summary>
    private static void RewriteDense(Graph graph, Node node, WeightedNode dense, int limit)
    {
        var weights = dense.Weights.Constant!;
        var transposed = node.Is("Gemm") && node.Int("transB") == 1 ? Transposed(weights) : weights;
        var quantized = QuantizedWeights.Of(transposed, 1, limit);
        var name = node.Output.Name;
        var input = node.Inputs[0]!;

        // One DynamicQuantizeLinear serves all readers of a tensor in a graph.
        var quantizer = input.Uses.Select(u => u.Node).FirstOrDefault(n => n.Is("DynamicQuantizeLinear") && ReferenceEquals(n.Graph, graph))
            ?? graph.AddNode("DynamicQuantizeLinear", [input], [input.Name + "_q", input.Name + "_scale", input.Name + "_zero"]);
        var data = graph.AddInitializer(dense.Weights.Name + "_q", quantized.Data);
        var scales = graph.AddInitializer(dense.Weights.Name + "_scales", Tensor.Vector(quantized.Scales));
        var product = graph.AddNode("MatMulInteger", [quantizer.Outputs[0], data, quantizer.Outputs[2]], [name + "_i"]);
        var floats = graph.AddNode("Cast", [product.Output], [name + "_f"]);
        floats.Attributes["to"] = (long)ElementType.Float;
        var scale = graph.AddNode("Mul", [quantizer.Outputs[1], scales], [name + "_s"]);
        var result = graph.AddNode("Mul", [floats.Output, scale.Output], [name + "_r"]);
        var last = result;
        if (dense.Bias is not null)
        {
            // A bias of shape [1, N] adds as one of shape [N].
            var bias = dense.Bias.Constant!;
            var vector = bias.Rank == 1 ? dense.Bias : graph.AddInitializer(dense.Bias.Name + "_v", bias.Reshape(bias.Length));
            last = graph.AddNode("Add", [result.Output, vector], [name + "_b"]);
        }
        foreach (var made in new[] { product, floats, scale, result, last })
            made.Sources = node.Sources;
        quantizer.Sources = [.. quantizer.Sources.Union(node.Sources, StringComparer.Ordinal)];
        quantizer.Outputs[0].Type = input.Type is { } read ? read with { ElementType = ElementType.UInt8 } : null;
        product.Output.Type = node.Output.Type is { } given ? given with { ElementType = ElementType.Int32 } : null;
        floats.Output.Type = result.Output.Type = last.Output.Type = node.Output.Type;
        graph.Replace(node.Output, last.Output);
    }

    /// <summary>Over how many axes of an LSTM's weights [directions, gates, ...] there is a scale for each index.</summary>
    private static int AxesOfScales(bool perTensor) => perTensor ? 1 : 2;

    private static void RewriteRecurrent(Model model, Node node, int limit, int axes, string domain, string op)
    {
        var graph = node.Graph;
        model.Opsets.TryAdd(domain, 1);
        // ONNX: W [directions, gates*hidden, inputs], R [directions, gates*hidden, hidden]. The integer operator wants the last two axes swapped.
        var w = QuantizedWeights.Of(node.Inputs[1]!.Constant!, 0, limit, axes);
        var r = QuantizedWeights.Of(node.Inputs[2]!.Constant!, 0, limit, axes);
        var wScales = Scales(w, node.Inputs[1]!.Constant!, axes);
        var rScales = Scales(r, node.Inputs[2]!.Constant!, axes);
        // Each gets zero points of its own: ONNX Runtime repacks them in place and refuses shared ones.
        Value Zeros() => graph.AddInitializer("zeros", Tensor.Of(new sbyte[wScales.Length], wScales.Shape.AsSpan()));
        Value?[] inputs =
        [
            node.Inputs[0],
            graph.AddInitializer(node.Inputs[1]!.Name + "_q", SwapLast(w.Data)),
            graph.AddInitializer(node.Inputs[2]!.Name + "_q", SwapLast(r.Data)),
            node.Input(3), node.Input(4), node.Input(5), .. node.Is("LSTM") ? [node.Input(6), null] : Array.Empty<Value?>(),
            graph.AddInitializer(node.Inputs[1]!.Name + "_scales", wScales), Zeros(),
            graph.AddInitializer(node.Inputs[2]!.Name + "_scales", rScales), Zeros(),
        ];
        var integer = graph.AddNode(op, inputs, node.Outputs.Select(o => o.Name.Length == 0 || o.IsUnused ? "" : o.Name + "_d"), domain);
        foreach (var (key, value) in node.Attributes)
            if (key is "direction" or "hidden_size" or "linear_before_reset")
                integer.Attributes.Add(key, value);
        integer.Name = node.Name;
        integer.Sources = node.Sources;
        for (var i = 0; i < node.Outputs.Count; i++)
            if (integer.Outputs[i].Name.Length > 0)
            {
                integer.Outputs[i].Type = node.Outputs[i].Type;
                graph.Replace(node.Outputs[i], integer.Outputs[i]);
            }
    }

    /// <summary>One scale per direction and row, as [directions, gates*hidden], or per direction.</summary>
    private static Tensor Scales(QuantizedWeights q, Tensor weights, int axes) => Tensor.Of(q.Scales, weights.Shape.AsSpan()[..axes]);

    private static Tensor Transposed(Tensor matrix)
    {
        var (rows, columns) = ((int)matrix.Shape[0], (int)matrix.Shape[1]);
        var source = matrix.Span<float>();
        var result = new float[source.Length];
        for (var r = 0; r < rows; r++)
            for (var c = 0; c < columns; c++)
                result[c * rows + r] = source[r * columns + c];
        return Tensor.Of(result, columns, rows);
    }

    private static Tensor SwapLast(Tensor tensor)
    {
        var (batch, rows, columns) = ((int)tensor.Shape[0], (int)tensor.Shape[1], (int)tensor.Shape[2]);
        var source = tensor.Span<sbyte>();
        var result = new sbyte[source.Length];
        for (var b = 0; b < batch; b++)
            for (var r = 0; r < rows; r++)
                for (var c = 0; c < columns; c++)
                    result[(b * columns + c) * rows + r] = source[(b * rows + r) * columns + c];
        return Tensor.Of(result, batch, columns, rows);
    }
}

/// <summary>The layers that quantize their inputs in each call.</summary>
public sealed record DynamicInt8Plan : StepPlan
{
    /// <summary>The layers, in the graph's order.</summary>
    public required IReadOnlyList<RoundedLayer> Layers { get; init; }

    /// <summary>Whether all weights of a direction of an LSTM have one scale, and not each row its own.</summary>
    public bool PerTensor { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<LayerChange> Changes => Layers.Select(l => l.Change);

    /// <inheritdoc/>
    public override bool ChangesArithmetic => true;

    /// <inheritdoc/>
    [JsonIgnore]
    public override bool ComputesIntegers => true;

    /// <inheritdoc/>
    public override StepPlan? Without(string key, Model model) => Layers.Where(l => l.Layer.Key != key).ToList() is { Count: > 0 } left
        ? this with { Layers = left } : null;
}
