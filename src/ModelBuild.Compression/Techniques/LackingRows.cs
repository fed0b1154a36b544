using System.Numerics.Tensors;
using ModelBuild.Compression.Calibration;
using Tensor = ModelBuild.Onnx.Tensor;

namespace ModelBuild.Compression.Techniques;

/// <summary>Rows of samples that nothing was fitted to, with what a layer lacks there against its target: changes of its weights are judged by them.</summary>
/// <param name="rows">How the layer's inputs are rows.</param>
/// <param name="stride">From one channel of a change to the next.</param>
internal sealed class LackingRows(LayerRows rows, int stride)
{
    /// <summary>One sample of so many is held out.</summary>
    public const int HeldOut = 4;

    private readonly List<(int Group, float[] Inputs, float[] Lacking)> _rows = [];

    /// <summary>Whether a sample is held out.</summary>
    public static bool IsHeldOut(int sample) => sample % HeldOut == HeldOut - 1;

    /// <summary>A pair whose target is what the layer lacks as it is.</summary>
    public static LayerPair Lacking(LayerPair pair)
    {
        var lacking = pair.Target.ToArray<float>();
        TensorPrimitives.Subtract(lacking, pair.Output.Span<float>(), lacking);
        return new(pair.Sample, pair.Inputs, Tensor.Of(lacking, pair.Target.Shape.AsSpan()), () => pair.Output);
    }

    /// <summary>How many there are.</summary>
    public int Count => _rows.Count;

    /// <summary>Keeps some rows of a sample, spread evenly.</summary>
    /// <param name="lacking">The sample, with what is lacking as target.</param>
    /// <param name="most">About how many rows.</param>
    public void Add(LayerPair lacking, int most) =>
        rows.ForEach(lacking, (group, inputs, targets) => _rows.Add((group, inputs.ToArray(), targets.ToArray())), most);

    /// <summary>The power of what the rows lack with a change: what they lack already, less what the change adds.</summary>
    /// <param name="change">What is added to the weights: [channels, stride]; null for nothing.</param>
    /// <param name="toBias">What is added to the bias of each channel; null for nothing.</param>
    public double Noise(float[]? change, float[]? toBias)
    {
        var sum = 0.0;
        foreach (var (group, inputs, lacking) in _rows)
            for (var c = 0; c < rows.Channels; c++)
            {
                var channel = group * rows.Channels + c;
                var added = change is null ? 0 : OrderedSums.Dot<float>(inputs, change.AsSpan(channel * stride, rows.Width));
                var d = lacking[c] - added - (toBias?[channel] ?? 0);
                sum += (double)d * d;
            }
        return sum;
    }
}
