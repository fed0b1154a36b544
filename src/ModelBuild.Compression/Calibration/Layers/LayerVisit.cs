using ModelBuild.Onnx;

namespace ModelBuild.Compression.Calibration;

/// <summary>A stop of a walk at a layer, at which a repair may change it.</summary>
public sealed class LayerVisit
{
    private readonly Func<IEnumerable<LayerPair>> _pairs;

    internal LayerVisit(Node node, int samples, Func<IEnumerable<LayerPair>> pairs) => (Node, Samples, _pairs) = (node, samples, pairs);

    /// <summary>
    /// The layer, in the walk's own copy of the changed model. What it computes from constants (weights, bias, the DequantizeLinear nodes before them) may be
    /// changed: layers behind it then read what the changed layer gives. Constants that other layers read, too, are not to be written but replaced.
    /// </summary>
    public Node Node { get; }

    /// <summary>How many samples come to the layer, at least one: all that the walk has, or those that take the layer's branch in both models.</summary>
    public int Samples { get; }

    /// <summary>The pairs, sample by sample. Each enumeration reads them anew, and its outputs are those of the layer as it is when the enumeration
    /// begins.</summary>
    public IEnumerable<LayerPair> Pairs() => _pairs();
}
