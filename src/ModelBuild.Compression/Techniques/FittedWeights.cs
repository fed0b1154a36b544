using ModelBuild.Compression.Calibration;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>The weights of a layer as rows that can be fitted: floats, or integers of 8 bits with a scale for each channel, which stay so.</summary>
internal sealed class FittedWeights
{
    private readonly Node _node;
    private readonly Tensor _stored;
    private readonly float[]? _scales;
    private readonly bool _channelsFirst;

    private FittedWeights(Node node, LayerRows rows, Tensor stored, float[]? scales)
    {
        (_node, Layer, _stored, _scales) = (node, rows, stored, scales);
        _channelsFirst = node.Is("Conv") || node.Is("Gemm") && node.Int("transB") == 1;
    }

    /// <summary>The weights of a layer; null where it has none that can be fitted, or shares them with other layers.</summary>
    public static FittedWeights? Of(Node node)
    {
        if (node.Input(0) is not { Constant: null } || node.Input(1) is not { Uses.Count: 1, IsGraphOutput: false } weights
            || LayerRows.Of(node) is not { Width: <= GramMatrix.LargestWidth } rows || node.Is("Gemm") && node.Float("alpha", 1) != 1)
            return null;
        if (weights.Constant is { ElementType: ElementType.Float } floats)
            return weights.IsGraphInput ? null : new(node, rows, floats, null);
        return weights.Producer is { OpType: "DequantizeLinear", Domain.Length: 0 } unpack
            && unpack.Inputs[0]!.Constant is { ElementType: ElementType.Int8 } integers
            && unpack.Inputs[1]!.Constant is { ElementType: ElementType.Float } scales && scales.Length == rows.Groups * rows.Channels
            ? new(node, rows, integers, scales.ToArray<float>()) : null;
    }

    /// <summary>How the layer's inputs are rows.</summary>
    public LayerRows Layer { get; }

    /// <summary>Whether the weights are integers.</summary>
    public bool AreIntegers => _scales is not null;

    private int Channels => Layer.Groups * Layer.Channels;

    /// <summary>What the weights are worth: [channels, inputs].</summary>
    public float[] Rows()
    {
        var rows = new float[Channels * Layer.Width];
        for (var c = 0; c < Channels; c++)
            for (var i = 0; i < Layer.Width; i++)
                rows[c * Layer.Width + i] = _scales is null ? _stored.Span<float>()[Position(c, i)] : _stored.Span<sbyte>()[Position(c, i)] * _scales[c];
        return rows;
    }

    /// <summary>Weights that can be stored, as near to given ones as their inputs tell (<see cref="SecondOrderRounding"/>).</summary>
    /// <param name="wanted">[channels, inputs].</param>
    /// <param name="factors">For each group what the second moments of its inputs say.</param>
    /// <param name="limit">The largest integer.</param>
    /// <returns>What is stored, and what that is worth.</returns>
    public (Tensor Stored, float[] Rows) Rounded(float[] wanted, SecondOrderRounding?[] factors, int limit)
    {
        var rows = (float[])wanted.Clone();
        if (_scales is null)
        {
            var floats = new float[_stored.Length];
            for (var c = 0; c < Channels; c++)
                for (var i = 0; i < Layer.Width; i++)
                    floats[Position(c, i)] = rows[c * Layer.Width + i];
            return (Tensor.Of(floats, _stored.Shape.AsSpan()), rows);
        }
        var codes = _stored.ToArray<sbyte>();
        float Round(int channel, int input, float weight)
        {
            var code = (sbyte)Math.Clamp(MathF.Round(weight / _scales[channel]), -limit, limit);
            codes[Position(channel, input)] = code;
            return rows[channel * Layer.Width + input] = code * _scales[channel];
        }
        for (var g = 0; g < Layer.Groups; g++)
        {
            // Where nothing is known of its inputs a group stays as it is.
            if (factors[g] is { } factor)
                factor.Round(wanted, Layer.Width, g * Layer.Channels, Layer.Channels, Round);
        }
        return (Tensor.Of(codes, _stored.Shape.AsSpan()), rows);
    }

    /// <summary>Gives the layer other weights, in the form that it has.</summary>
    public void Set(Tensor stored)
    {
        var reader = _scales is null ? (Node: _node, Index: 1) : (Node: _node.Inputs[1]!.Producer!, Index: 0);
        reader.Node.SetInput(reader.Index, reader.Node.Graph.AddInitializer(reader.Node.Inputs[reader.Index]!.Name, stored));
    }

    private int Position(int channel, int input) => _channelsFirst ? channel * Layer.Width + input : input * Channels + channel;
}
