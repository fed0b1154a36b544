using ModelBuild.Onnx;

namespace ModelBuild.Compression.Calibration;

/// <summary>One sample at one layer. Sizes differ from sample to sample.</summary>
/// <param name="sample">The number of the sample in the data.</param>
/// <param name="inputs">What the layer reads in the changed model, in the order of the node's inputs; null for constants and what is left out.</param>
/// <param name="target">What it should give.</param>
/// <param name="output">Runs the layer.</param>
public sealed class LayerPair(int sample, IReadOnlyList<Tensor?> inputs, Tensor target, Func<Tensor> output)
{
    private Tensor? _output;

    /// <summary>The number of the sample in the data.</summary>
    public int Sample => sample;

    /// <summary>What the layer reads in the changed model, in the order of the node's inputs; null for constants and what is left out.</summary>
    public IReadOnlyList<Tensor?> Inputs => inputs;

    /// <summary>What the layer should give: its target, of which the indices are left that the layer has.</summary>
    public Tensor Target => target;

    /// <summary>What the layer gives, with the constants that it had when the enumeration of pairs began. Run when first asked, which must be during that
    /// enumeration.</summary>
    /// <exception cref="ObjectDisposedException">The enumeration is over.</exception>
    public Tensor Output => _output ??= output();
}
