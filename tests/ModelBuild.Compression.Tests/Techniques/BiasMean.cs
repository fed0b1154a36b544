using System.Globalization;
using System.Text.Json.Serialization.Metadata;
using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Techniques;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Techniques;

/// <summary>
/// Sequential bias correction, layer by layer: each Conv and Gemm gets the mean of what its channels lack added to its bias, its inputs being those of the
/// already corrected model. What it should give is what the source model gives, of which the channels are left that it has; <c>bias-mean(1)</c>: what the
/// model after the first step gives. A technique of these tests.
/// </summary>
/// <remarks>
/// Of a quantized layer the bias is a 32-bit integer behind a DequantizeLinear, at the scale of inputs times weights. These integers are corrected, and not
/// the float bias before int8: a step works on the model that the steps before left, int8's plan rests on nothing then that a later step changes (its scales
/// of weights follow from the bias where it is large), and rounding to that scale is off by at most half of it, thousands of times finer than the output's
/// own.
/// </remarks>
internal sealed class BiasMean : Technique<BiasMeanPlan>
{
    public override string Name => "bias-mean";

    public override bool NeedsData => true;

    public override IReadOnlyCollection<string> Operators => ["Conv", "Gemm"];

    protected override JsonTypeInfo<BiasMeanPlan> PlanType { get; } = TestPrune.Json<BiasMeanPlan>();

    public override string Describe(RecipeStep step) => "corrected biases";

    public override void Check(RecipeStep step)
    {
    }

    protected override BiasMeanPlan? Plan(StepContext context)
    {
        if (context.Layers is not { } layers)
            return null;
        var step = context.Step.Arguments is [var text] ? int.Parse(text, CultureInfo.InvariantCulture) : 0;
        var targets = layers.TargetsOf(context.Model.Nodes.Where(n => n.Is("Conv") || n.Is("Gemm")), step);
        var biases = new Dictionary<string, CorrectedBias>(StringComparer.Ordinal);
        layers.Walk(targets, visit =>
        {
            var node = visit.Node;
            var means = new ChannelMeans(node.Is("Conv") ? 1 : -1);
            foreach (var pair in visit.Pairs())
                means.Add(pair);
            var corrected = Corrected(node, means.Means);
            biases.Add(node.Key, new(PlannedLayer.Of(node), new(corrected)));
            SetBias(node, corrected);
        }, step);
        return biases.Count == 0 ? null : new() { Biases = [.. context.Model.Nodes.Where(n => n.Outputs.Count > 0 && biases.ContainsKey(n.Key))
            .Select(n => biases[n.Key])] };
    }

    /// <summary>The bias and what is lacking, in the form that the layer has: integers at the scale of inputs times weights, or floats.</summary>
    private static Tensor Corrected(Node node, double[] lacking)
    {
        if (ScalesOf(node) is not { } scales)
        {
            var bias = node.Input(2)?.Constant!.ToArray<float>() ?? new float[lacking.Length];
            return Tensor.Of([.. lacking.Select((l, c) => (float)(bias[bias.Length == 1 ? 0 : c] + l))], lacking.Length);
        }
        var integers = node.Input(2)?.Producer!.Inputs[0]!.Constant!.ToArray<int>() ?? new int[lacking.Length];
        return Tensor.Vector([.. lacking.Select((l, c) => (int)Math.Clamp(Math.Round(integers[c] + l / scales[c], MidpointRounding.ToEven), int.MinValue,
            int.MaxValue))]);
    }

    /// <summary>The scales of a quantized layer's bias; null where the layer computes in float.</summary>
    private static float[]? ScalesOf(Node node)
    {
        if (node.Input(2)?.Producer is { } bias)
            return bias.Inputs[1]!.Constant!.ToArray<float>();
        if (node.Inputs[1]!.Producer is not { } weights || node.Inputs[0]!.Producer is not { OpType: "DequantizeLinear" } input)
            return null;
        var scale = input.Inputs[1]!.Constant!.Span<float>()[0];
        return [.. weights.Inputs[1]!.Constant!.ToArray<float>().Select(w => scale * w)];
    }

    private static void SetBias(Node node, Tensor bias)
    {
        var graph = node.Graph;
        var value = graph.AddInitializer(node.Key + "_bias", bias);
        if (node.Input(2) is { Producer: { } dequantize })
        {
            dequantize.SetInput(0, value);
            return;
        }
        if (ScalesOf(node) is { } scales)
        {
            var floats = graph.AddNode("DequantizeLinear", [value, graph.AddInitializer(node.Key + "_scales", Tensor.Vector(scales))], [node.Key + "_bias_f"],
                before: node);
            floats.Attributes["axis"] = 0L;
            floats.Sources = node.Sources;
            floats.Output.Type = TensorType.Of(ElementType.Float, bias.Length);
            value = floats.Output;
        }
        node.SetInput(2, value);
    }

    protected override void Apply(Model model, BiasMeanPlan plan)
    {
        var nodes = model.Nodes.ToDictionary(n => n.Key, StringComparer.Ordinal);
        foreach (var bias in plan.Biases)
            SetBias(nodes[bias.Layer.Key], bias.Bias.Value);
        foreach (var initializer in model.Graphs.SelectMany(g => g.Initializers).Where(i => i.IsUnused).ToArray())
            initializer.Graph.Remove(initializer);
    }
}

/// <summary>The corrected biases.</summary>
internal sealed record BiasMeanPlan : StepPlan
{
    public required IReadOnlyList<CorrectedBias> Biases { get; init; }

    public override IEnumerable<LayerChange> Changes => Biases.Select(b => new LayerChange(b.Layer));

    public override bool ChangesArithmetic => true;

    public override StepPlan? Without(string key, Model model) => Biases.Where(b => b.Layer.Key != key).ToList() is { Count: > 0 } left
        ? this with { Biases = left } : null;
}

/// <summary>A layer's corrected bias: floats, or integers at the scale that the layer's bias has.</summary>
internal sealed record CorrectedBias(PlannedLayer Layer, PlanTensor Bias);
