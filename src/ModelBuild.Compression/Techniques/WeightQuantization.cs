using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>Symmetric 8-bit weights with one scale per slice along an axis.</summary>
/// <param name="Data">The integers, Int8, of the weights' shape.</param>
/// <param name="Scales">One scale per slice.</param>
public sealed record QuantizedWeights(Tensor Data, float[] Scales)
{
    /// <summary>Rounds weights to integers in [-limit, limit], to the nearest, ties to even.</summary>
    /// <param name="weights">Float weights.</param>
    /// <param name="axis">The axis of the channels; several axes together where <paramref name="axes"/> is larger than 1.</param>
    /// <param name="limit">127, or 63 where a profile's kernels saturate sums of two products.</param>
    /// <param name="axes">How many consecutive axes, from <paramref name="axis"/>, have a scale per index.</param>
    /// <param name="leastScales">Lower bounds for the scales, or null.</param>
    public static QuantizedWeights Of(Tensor weights, int axis, int limit, int axes = 1, ReadOnlySpan<float> leastScales = default)
    {
        var source = weights.Span<float>();
        var shape = weights.Shape;
        var inner = 1;
        for (var i = axis + axes; i < shape.Length; i++)
            inner *= (int)shape[i];
        var channels = 1;
        for (var i = axis; i < axis + axes; i++)
            channels *= (int)shape[i];
        var largest = new float[channels];
        for (var i = 0; i < source.Length; i++)
        {
            var c = i / inner % channels;
            largest[c] = Math.Max(largest[c], Math.Abs(source[i]));
        }
        var scales = new float[channels];
        for (var c = 0; c < channels; c++)
        {
            scales[c] = largest[c] / limit;
            if (!leastScales.IsEmpty)
                scales[c] = Math.Max(scales[c], leastScales[c]);
            // A channel of zeros (or of numbers so small that their scale has no reciprocal) quantizes to zeros under any scale.
            if (!(scales[c] >= 1e-30f) || !float.IsFinite(scales[c]))
                scales[c] = 1;
        }
        var data = new sbyte[source.Length];
        for (var i = 0; i < source.Length; i++)
            data[i] = (sbyte)Math.Clamp(Math.Round(source[i] / (double)scales[i / inner % channels], MidpointRounding.ToEven), -limit, limit);
        return new(Tensor.Of(data, shape.AsSpan()), scales);
    }
}
