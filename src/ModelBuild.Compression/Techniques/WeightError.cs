using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>What rounding weights costs, by the weights alone.</summary>
public static class WeightError
{
    /// <summary>Noise power over signal power of symmetric per-channel rounding.</summary>
    /// <param name="weights">Float weights.</param>
    /// <param name="axis">The axis of the channels.</param>
    /// <param name="limit">The largest integer.</param>
    /// <param name="axes">How many consecutive axes have a scale per index.</param>
    public static double Of(Tensor weights, int axis, int limit, int axes = 1)
    {
        var quantized = QuantizedWeights.Of(weights, axis, limit, axes);
        var source = weights.Span<float>();
        var data = quantized.Data.Span<sbyte>();
        var inner = 1;
        for (var i = axis + axes; i < weights.Rank; i++)
            inner *= (int)weights.Shape[i];
        double signal = 0, noise = 0;
        for (var i = 0; i < source.Length; i++)
        {
            var d = source[i] - data[i] * (double)quantized.Scales[i / inner % quantized.Scales.Length];
            signal += (double)source[i] * source[i];
            noise += d * d;
        }
        return signal == 0 ? 0 : noise / signal;
    }
}
