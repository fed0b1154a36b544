using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>Where a layer's bias stands, or can: an input of its own, or the constant of the Add that alone reads it.</summary>
/// <remarks>Weights may stand behind nodes that unpack or dequantize them.</remarks>
internal sealed class BiasPlace
{
    private readonly Node _node;
    private readonly int _input;
    private readonly int _channels;
    // Of a layer that computes on integers: what an integer of its bias stands for, by channel.
    private readonly float[]? _scales;

    private BiasPlace(Node node, int input, int axis, int channels, float[]? scales) => (_node, _input, Axis, _channels, _scales) =
        (node, input, axis, channels, scales);

    /// <summary>The axis of the channels in the layer's output.</summary>
    public int Axis { get; }

    /// <summary>The place of a layer's bias; null where it has none, or multiplies by no weights of known shape.</summary>
    public static BiasPlace? Of(Node layer)
    {
        if (layer.Input(0) is not { Constant: null } || layer.Input(1) is not { } weights || ShapeOf(weights) is not { } shape)
            return null;
        if (layer.Is("Conv") && shape.Length >= 3)
            return AtInput(layer, 1, (int)shape[0]);
        if (layer.Is("Gemm") && layer.Float("alpha", 1) == 1 && layer.Float("beta", 1) == 1 && shape.Length == 2)
            return AtInput(layer, -1, (int)shape[layer.Int("transB") == 1 ? 0 : 1]);
        if (!layer.Is("MatMul") || shape.Length != 2 || layer.Output.OnlyUser is not { } add || !add.Is("Add") || add.Inputs.Count != 2)
            return null;
        var other = ReferenceEquals(add.Inputs[0], layer.Output) ? 1 : 0;
        return add.Inputs[other] is { Constant: { ElementType: ElementType.Float, Rank: <= 1 } constant, IsGraphInput: false } && constant.Length == shape[1]
            ? new(add, other, -1, (int)shape[1], null) : null;
    }

    private static BiasPlace? AtInput(Node layer, int axis, int channels)
    {
        var bias = layer.Input(2);
        if (ScalesOf(layer) is { } scales)
            return bias is null or { Producer: { OpType: "DequantizeLinear" } } && scales.Length == channels ? new(layer, 2, axis, channels, scales) : null;
        return bias is null or { Constant: { ElementType: ElementType.Float }, IsGraphInput: false }
            && (bias is null || bias.Constant!.Length == channels || bias.Constant.Length == 1) ? new(layer, 2, axis, channels, null) : null;
    }

    private static long[]? ShapeOf(Value weights)
    {
        // The sizes of what nodes unpack are those of the largest constant behind them; their declared types say so, too.
        if (weights.Constant is { } constant)
            return constant.ElementType == ElementType.Float && !weights.IsGraphInput ? constant.Shape.ToArray() : null;
        for (var value = weights; value.Producer is { } producer; value = producer.Inputs[0]!)
        {
            if (producer.OpType is not ("DequantizeLinear" or "Cast" or "Sub" or "Mul" or "Slice" or "Reshape") || producer.Inputs[0] is not { } before)
                return null;
            if (before.Constant is not null)
                return weights.Type?.StaticShape ?? before.Constant.Shape.ToArray();
        }
        return null;
    }

    /// <summary>The scales of an integer layer's bias; null where it computes in float.</summary>
    private static float[]? ScalesOf(Node layer)
    {
        if (layer.Input(2)?.Producer is { OpType: "DequantizeLinear" } bias)
            return bias.Inputs[1]!.Constant!.ToArray<float>();
        if (layer.Inputs[1]!.Producer is not { OpType: "DequantizeLinear" } weights || layer.Inputs[0]!.Producer is not { OpType: "DequantizeLinear" } input
            || input.Inputs[1]?.Constant is not { Length: 1 } scale || weights.Inputs[1]?.Constant is not { } scales)
            return null;
        var factor = scale.Span<float>()[0];
        return [.. scales.ToArray<float>().Select(w => factor * w)];
    }

    /// <summary>The bias with what is lacking, in the form that it has: integers, or floats.</summary>
    public Tensor Corrected(double[] lacking)
    {
        if (_scales is null)
        {
            var floats = _node.Input(_input)?.Constant!.ToArray<float>() ?? [0f];
            return Tensor.Of([.. lacking.Select((l, c) => (float)(floats[floats.Length == 1 ? 0 : c] + l))], _channels);
        }
        var integers = _node.Input(_input)?.Producer!.Inputs[0]!.Constant!.ToArray<int>() ?? new int[_channels];
        return Tensor.Vector([.. lacking.Select((l, c) => (int)Math.Clamp(Math.Round(integers[c] + l / _scales[c], MidpointRounding.ToEven), int.MinValue,
            int.MaxValue))]);
    }

    /// <summary>Gives the layer a bias.</summary>
    public void Set(Tensor bias)
    {
        var graph = _node.Graph;
        var value = graph.AddInitializer(_node.Output.Name + "_bias", bias);
        if (_scales is null)
        {
            _node.SetInput(_input, value);
            return;
        }
        // A new node, since several layers may read the old one.
        var floats = graph.AddNode("DequantizeLinear", [value, graph.AddInitializer(_node.Output.Name + "_bias_scales", Tensor.Vector(_scales))],
            [_node.Output.Name + "_bias_f"], before: _node);
        floats.Attributes["axis"] = 0L;
        floats.Sources = _node.Sources;
        floats.Output.Type = TensorType.Of(ElementType.Float, _channels);
        _node.SetInput(_input, floats.Output);
    }
}
