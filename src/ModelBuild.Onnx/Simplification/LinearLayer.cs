using System.Collections.Immutable;

namespace ModelBuild.Onnx.Simplification;

/// <summary>A Conv, ConvTranspose or Gemm with constant weights, whose output channels can be scaled and shifted by changing them.</summary>
internal sealed class LinearLayer
{
    private readonly Node _node;
    private readonly Tensor _weights;
    private readonly Tensor? _bias;

    private LinearLayer(Node node, Tensor weights, Tensor? bias, int rank, int channels)
    {
        _node = node;
        _weights = weights;
        _bias = bias;
        Rank = rank;
        Channels = channels;
    }

    /// <summary>The number of dimensions of the output; its channels lie along axis 1.</summary>
    public int Rank { get; }

    /// <summary>The number of output channels.</summary>
    public int Channels { get; }

    /// <summary>The layer that makes a value for one reader alone, or null.</summary>
    public static LinearLayer? Before(Value? value, PassContext context)
    {
        if (value?.Producer is not { Domain: "", OpType: "Conv" or "ConvTranspose" or "Gemm" } node || value.OnlyUser is not { } user
            || !ReferenceEquals(user.Graph, node.Graph))
            return null;
        var bias = context.Constant(node.Input(2));
        if (context.Constant(node.Input(1)) is not { } weights || node.Input(2) is not null && bias is null || !ElementTypes.IsFloat(weights.ElementType))
            return null;
        var channels = node.OpType switch
        {
            "Conv" => weights.Shape[0],
            "ConvTranspose" => weights.Shape[1] * node.Int("group", 1),
            _ => weights.Shape[node.Int("transB") != 0 ? 0 : 1],
        };
        // The bias of a Gemm may be anything that broadcasts, and is scaled by beta.
        if (node.OpType == "Gemm" && (bias is not null && ChannelParameter.Of(bias, 2, 1, (int)channels) is null || node.Float("beta", 1) != 1))
            return null;
        return new(node, weights, bias, node.OpType == "Gemm" ? 2 : weights.Rank, (int)channels);
    }

    /// <summary>Whether every number stays finite in the weights' element type under a change.</summary>
    public bool CanChange(double[] scale, double[] shift) => scale.Concat(shift).All(v => double.IsFinite(Numbers.Round(_weights.ElementType, v)));

    /// <summary>Makes the layer's output <c>scale * y + shift</c>, one number per channel.</summary>
    public void Change(double[] scale, double[] shift, Node absorbed)
    {
        if (scale.Any(static s => s != 1))
        {
            var weights = Numbers.Doubles(_weights);
            for (var i = 0; i < weights.Length; i++)
                weights[i] *= scale[ChannelOf(i)];
            _node.SetInput(1, _node.Graph.AddInitializer(_node.Input(1)!.Name, Numbers.Of(_weights.ElementType, _weights.Shape, weights)));
        }
        if (_bias is not null || shift.Any(static s => s != 0))
        {
            var bias = _bias is null ? new double[Channels] : _node.OpType == "Gemm" ? ChannelParameter.Of(_bias, 2, 1, Channels)! : Numbers.Doubles(_bias);
            for (var c = 0; c < Channels; c++)
                bias[c] = bias[c] * scale[c] + shift[c];
            _node.SetInput(2, _node.Graph.AddInitializer(_node.Input(2)?.Name ?? $"{_node.DisplayName}/bias",
                Numbers.Of(_weights.ElementType, [Channels], bias)));
        }
        PassContext.Unite(_node, absorbed);
    }

    /// <summary>The output channel that an element of the weights belongs to.</summary>
    private int ChannelOf(int index)
    {
        var shape = _weights.Shape.AsSpan();
        switch (_node.OpType)
        {
            case "Conv":
                return index / (int)Indexing.Product(shape, 1, shape.Length);
            case "ConvTranspose":
                // [inputs, outputs / groups, kernel...]: the group follows from the input channel.
                var kernel = (int)Indexing.Product(shape, 2, shape.Length);
                var perGroup = (int)shape[1];
                var inputsPerGroup = (int)(shape[0] / _node.Int("group", 1));
                return index / kernel / perGroup / inputsPerGroup * perGroup + index / kernel % perGroup;
            default:
                return _node.Int("transB") != 0 ? index / (int)shape[1] : index % (int)shape[1];
        }
    }
}
