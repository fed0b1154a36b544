using System.Collections.Immutable;
using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>
/// Rewrites a graph so that the planned layers compute in integers. Every mapped tensor gets one QuantizeLinear; every integer node reads it through
/// a DequantizeLinear of its own, which is the form that runtimes fuse; nodes that only move values work on the integers.
/// </summary>
internal sealed class QdqWriter
{
    private readonly Graph _graph;
    private readonly Dictionary<string, int> _limits;
    private readonly IReadOnlyDictionary<string, TensorQuantization> _tensors;
    private readonly IntegerRegion _region;
    private readonly QdqWriter? _around;
    private readonly List<Node> _nodes;
    private readonly Dictionary<Node, Value?[]> _reads;
    private readonly Dictionary<Node, Value> _gives;
    private readonly Dictionary<Value, (string Path, string Name)> _names;
    private readonly Dictionary<Value, Integers> _integers = [];
    private readonly Dictionary<(Value Weights, int Axis, int Limit, string Scales), (Value Data, Value Scales, float[] ScaleValues)> _weights = [];

    /// <summary>The integers of a value, and how they map.</summary>
    private sealed record Integers(Value Value, Quantization Mapping, Value Scale, Value ZeroPoint);

    private QdqWriter(Graph graph, StaticInt8Plan plan, QdqWriter? around)
    {
        (_graph, _around) = (graph, around);
        _limits = plan.Layers.Where(l => l.WeightLimit is not null).ToDictionary(l => l.Layer.Key, l => l.WeightLimit!.Value, StringComparer.Ordinal);
        _tensors = plan.Tensors;
        _region = IntegerRegion.Of(_graph, _limits.Keys.ToHashSet(StringComparer.Ordinal));
        _nodes = [.. _graph.Nodes.Where(n => _region.RoleOf(n) != IntegerRole.None)];
        // Rewriting moves uses about: what each node reads and gives is noted first.
        _reads = _nodes.ToDictionary(n => n, n => n.Inputs.ToArray());
        _gives = _nodes.ToDictionary(n => n, _region.GroupOutput);
        // Names move when a replacement takes over a graph output's name: mappings are looked up by the names of the model that was planned on.
        _names = _nodes.SelectMany(n => n.Inputs.OfType<Value>().Append(_gives[n])).Distinct().ToDictionary(v => v, v => (v.Path, v.Name));
    }

    /// <summary>Rewrites all graphs of a model.</summary>
    public static void Run(Model model, StaticInt8Plan plan)
    {
        var writers = new Dictionary<Graph, QdqWriter>();
        foreach (var graph in model.Graphs.ToArray())
            writers.Add(graph, new(graph, plan, graph.Parent is { } parent ? writers[parent] : null));
        // The outer ones come first: what a body captures may then be integers already.
        foreach (var writer in writers.Values)
            writer.Run();
    }

    private void Run()
    {
        foreach (var node in _nodes)
        {
            var (role, reads) = (_region.RoleOf(node), _reads[node]);
            if (role == IntegerRole.Pass)
            {
                Move(node, Enter(reads[0]!), _gives[node]);
                continue;
            }
            foreach (var i in IntegerRegion.ActivationInputs(node, role))
                node.SetInput(i, Dequantize(Enter(reads[i]!), node));
            if (role == IntegerRole.Weighted)
                QuantizeWeights(node, Enter(reads[0]!).Mapping.Scale);
            if (_region.HasIntegerOutput(node))
                Leave(node, _gives[node], _names[_gives[node]]);
        }
    }

    /// <summary>The integers of a value; one that something else than the region makes is quantized.</summary>
    private Integers Enter(Value value)
    {
        for (var writer = this; writer is not null; writer = writer._around)
            if (writer._integers.TryGetValue(value, out var integers))
                return integers;
        return _integers[value] = Quantize(value, _names[value], value.Producer?.Sources ?? []);
    }

    /// <summary>Quantizes what a node of the region gives, and hands floats to whatever else reads it.</summary>
    private void Leave(Node node, Value given, (string Path, string Name) name)
    {
        var integers = Quantize(node.Output, name, node.Sources);
        _integers.Add(given, integers);
        GiveFloats(given, integers, node, integers.Value.Producer!);
    }

    /// <summary>Repeats a node that only moves values on the integers.</summary>
    private void Move(Node node, Integers integers, Value given)
    {
        var inputs = node.Inputs.ToArray();
        inputs[0] = integers.Value;
        if (node.Is("Pad") && node.String("mode", "constant") == "constant")
        {
            // The integer of float padding with 0 is the zero point.
            var real = IntegerRegion.PadValue(node)!.Value;
            var q = integers.Mapping;
            var padding = real == 0 ? q.ZeroPoint : (int)Math.Clamp(Math.Round(real / (double)q.Scale) + q.ZeroPoint, q.Type == ElementType.UInt8 ? 0 : -128,
                q.Type == ElementType.UInt8 ? 255 : 127);
            if (inputs.Length < 3)
                Array.Resize(ref inputs, 3);
            inputs[2] = padding == q.ZeroPoint ? integers.ZeroPoint : _graph.AddInitializer("pad", (q with { ZeroPoint = padding }).ZeroPointTensor);
        }
        var moved = _graph.AddNode(node.OpType, inputs, [given.Name + "_q"]);
        foreach (var (key, value) in node.Attributes)
            moved.Attributes.Add(key, value);
        moved.Name = node.Name;
        moved.Sources = node.Sources;
        moved.Output.Type = given.Type is { } t ? t with { ElementType = integers.Mapping.Type } : null;
        var result = integers with { Value = moved.Output };
        _integers.Add(given, result);
        GiveFloats(given, result, node, null);
    }

    /// <summary>Lets readers outside the region read the dequantized integers.</summary>
    /// <param name="given">The float value that they read now.</param>
    /// <param name="integers">Its integers.</param>
    /// <param name="node">The node of the region that makes it.</param>
    /// <param name="quantizer">The node that must go on reading the float value itself, or null.</param>
    private void GiveFloats(Value given, Integers integers, Node node, Node? quantizer)
    {
        var outside = given.IsGraphOutput || given.IsHandedOut
            || given.Uses.Any(u => !ReferenceEquals(u.Node, quantizer) && _region.RoleOf(u.Node) == IntegerRole.None);
        if (!outside)
            return;
        var floats = Dequantize(integers, node);
        floats.Type = given.Type;
        var readsGiven = quantizer is not null && ReferenceEquals(quantizer.Inputs[0], given);
        _graph.Replace(given, floats);
        if (readsGiven)
            quantizer!.SetInput(0, given);
    }

    /// <summary>Quantizes a value by the mapping of a tensor: its own, or that of the activation behind it, which the range takes over.</summary>
    private Integers Quantize(Value value, (string Path, string Name) tensor, ImmutableArray<string> sources)
    {
        var mapping = _tensors[tensor.Path].Quantization;
        var scale = _graph.AddInitializer("scale", Tensor.Scalar(mapping.Scale));
        var zero = _graph.AddInitializer("zero", mapping.ZeroPointTensor);
        var node = _graph.AddNode("QuantizeLinear", [value, scale, zero], [tensor.Name + "_q"]);
        node.Sources = sources;
        node.Output.Type = value.Type is { } t ? t with { ElementType = mapping.Type } : null;
        return new(node.Output, mapping, scale, zero);
    }

    private Value Dequantize(Integers integers, Node source)
    {
        var node = _graph.AddNode("DequantizeLinear", [integers.Value, integers.Scale, integers.ZeroPoint], [integers.Value.Name + "_f"]);
        node.Sources = source.Sources;
        node.Output.Type = integers.Value.Type is { } t ? t with { ElementType = ElementType.Float } : null;
        return node.Output;
    }

    private void QuantizeWeights(Node node, float inputScale)
    {
        var weighted = new WeightedNode(node, node.Input(1)!, node.Is("Conv") ? 0 : node.Is("Gemm") && node.Int("transB") == 1 ? 0 : 1, node.Is("MatMul")
            ? null : node.Input(2));
        var limit = _limits[node.Key];
        var quantized = QuantizedWeights.Of(weighted.Weights.Constant!, weighted.Axis, limit, 1, LeastScales(weighted, inputScale));
        // Layers that share weights share their integers where their biases leave them the same scales.
        var key = (weighted.Weights, weighted.Axis, limit, string.Join(',', quantized.Scales.Select(BitConverter.SingleToInt32Bits)));
        if (!_weights.TryGetValue(key, out var weights))
        {
            weights = (_graph.AddInitializer(weighted.Weights.Name + "_q", quantized.Data), _graph.AddInitializer("scales", Tensor.Vector(quantized.Scales)),
                quantized.Scales);
            _weights.Add(key, weights);
        }
        // Symmetric: the zero points are 0. They are stated all the same, since ONNX Runtime's fusions of Gemm put a scalar in where they are left out.
        var zeros = _graph.AddInitializer("zeros", Tensor.Vector(new sbyte[weighted.Channels]));
        var dequantized = _graph.AddNode("DequantizeLinear", [weights.Data, weights.Scales, zeros], [weighted.Weights.Name + "_f"]);
        dequantized.Attributes["axis"] = (long)weighted.Axis;
        dequantized.Sources = node.Sources;
        dequantized.Output.Type = weighted.Weights.Type;
        node.SetInput(1, dequantized.Output);
        if (weighted.Bias is null)
            return;

        var bias = weighted.Bias.Constant!.Span<float>();
        var scales = new float[weighted.Channels];
        var integers = new int[weighted.Channels];
        for (var c = 0; c < scales.Length; c++)
        {
            scales[c] = inputScale * weights.ScaleValues[c];
            integers[c] = (int)Math.Clamp(Math.Round(bias[c] / (double)scales[c], MidpointRounding.ToEven), int.MinValue, int.MaxValue);
        }
        var b = _graph.AddNode("DequantizeLinear",
            [_graph.AddInitializer(weighted.Bias.Name + "_q", Tensor.Vector(integers)), _graph.AddInitializer("scales", Tensor.Vector(scales))],
            [weighted.Bias.Name + "_f"]);
        b.Attributes["axis"] = 0L;
        b.Sources = node.Sources;
        b.Output.Type = TensorType.Of(ElementType.Float, weighted.Channels);
        node.SetInput(2, b.Output);
    }

    /// <summary>A bias must fit 32 bits at the scale of input times weights: where it does not, the weight's scale is raised just enough.</summary>
    private static float[] LeastScales(WeightedNode node, float inputScale)
    {
        var least = new float[node.Channels];
        if (node.Bias is null)
            return least;
        var bias = node.Bias.Constant!.Span<float>();
        for (var c = 0; c < least.Length; c++)
            least[c] = (float)(Math.Abs((double)bias[c]) / inputScale / 2_000_000_000);
        return least;
    }
}
