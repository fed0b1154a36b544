using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>
/// Weights in unsigned integers of 4 bits with a scale and a zero point for each block: weight = scale · (integer - zero point). Scales are 16-bit floats
/// where that range holds them.
/// </summary>
public sealed class BlockWeights
{
    /// <summary>The largest integer.</summary>
    public const int Largest = 15;

    // Which part of a block's range is kept; what is beyond it is cut off, in favour of finer steps.
    private static readonly float[] Shares = [1, 0.94f, 0.88f, 0.82f, 0.75f, 0.67f, 0.58f, 0.45f, 0.3f];

    // From here on scales of 16 bits are as exact as they get, and what is smaller by far is rounded to next to nothing.
    private const float LeastHalf = 1f / 1024, LargestHalf = 65504;

    private BlockWeights(BlockLayout layout, byte[] codes, float[] scales, byte[] zeros, bool isHalf) =>
        (Layout, Codes, Scales, Zeros, HasHalfScales) = (layout, codes, scales, zeros, isHalf);

    /// <summary>How the weights fall into blocks.</summary>
    public BlockLayout Layout { get; }

    /// <summary>The integers: [channels, padded depth].</summary>
    public byte[] Codes { get; }

    /// <summary>The scales: [channels, blocks].</summary>
    public float[] Scales { get; }

    /// <summary>The zero points: [channels, blocks].</summary>
    public byte[] Zeros { get; }

    /// <summary>Whether the scales are 16-bit floats.</summary>
    public bool HasHalfScales { get; }

    /// <summary>Scales and zero points of the least squared error, weighted by how much each input counts, and every weight rounded to the nearest.</summary>
    /// <param name="layout">How the weights fall into blocks.</param>
    /// <param name="rows">The weights: [channels, padded depth].</param>
    /// <param name="importance">The power of each input, of length padded depth times <paramref name="groups"/>; empty where none is known.</param>
    /// <param name="groups">How many groups the channels fall into, each with inputs of its own.</param>
    public static BlockWeights Nearest(BlockLayout layout, ReadOnlySpan<float> rows, ReadOnlySpan<float> importance = default, int groups = 1)
    {
        var (scales, zeros) = (new float[layout.Channels * layout.Blocks], new byte[layout.Channels * layout.Blocks]);
        for (var b = 0; b < scales.Length; b++)
        {
            var (channel, start) = (b / layout.Blocks, b % layout.Blocks * layout.BlockLength);
            var powers = importance.IsEmpty ? default
                : importance.Slice(channel / (layout.Channels / groups) * layout.PaddedDepth + start, layout.BlockLength);
            (scales[b], zeros[b]) = Fit(rows.Slice(channel * layout.PaddedDepth + start, layout.BlockLength), powers);
        }
        var most = scales.Max();
        var isHalf = most is >= LeastHalf and <= LargestHalf;
        if (isHalf)
            for (var b = 0; b < scales.Length; b++)
                scales[b] = (float)(Half)scales[b] is var half && half > 0 ? half : (float)Half.Epsilon;
        var codes = new byte[rows.Length];
        for (var i = 0; i < codes.Length; i++)
        {
            var b = i / layout.BlockLength;
            codes[i] = Round(rows[i], scales[b], zeros[b]);
        }
        return new(layout, codes, scales, zeros, isHalf);
    }

    /// <summary>The same blocks with other integers.</summary>
    public BlockWeights With(byte[] codes) => new(Layout, codes, Scales, Zeros, HasHalfScales);

    /// <summary>The nearest integer that stands for a weight.</summary>
    public static byte Round(float weight, float scale, byte zero) => (byte)Math.Clamp(MathF.Round(weight / scale) + zero, 0, Largest);

    /// <summary>The weights that the integers stand for, as the unpacking nodes compute them: [channels, padded depth].</summary>
    public float[] Rows()
    {
        var rows = new float[Codes.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            var b = i / Layout.BlockLength;
            rows[i] = ((float)Codes[i] - Zeros[b]) * Scales[b];
        }
        return rows;
    }

    /// <summary>Noise power over signal power of the rounded weights.</summary>
    /// <param name="rows">The weights: [channels, padded depth].</param>
    public double Error(ReadOnlySpan<float> rows)
    {
        double signal = 0, noise = 0;
        var rounded = Rows();
        for (var i = 0; i < rows.Length; i++)
        {
            var d = (double)rows[i] - rounded[i];
            signal += (double)rows[i] * rows[i];
            noise += d * d;
        }
        return signal == 0 ? 0 : noise / signal;
    }

    /// <summary>The scale and zero point of one block: ranges of several widths, first both ends together, then each by itself, each refined by least
    /// squares.</summary>
    private static (float Scale, byte Zero) Fit(ReadOnlySpan<float> block, ReadOnlySpan<float> powers)
    {
        float low = 0, high = 0;
        foreach (var w in block)
            (low, high) = (Math.Min(low, w), Math.Max(high, w));
        var width = (double)high - low;
        // Zeros, or numbers so small that their scale has no reciprocal, are zeros under any scale.
        if (!(width >= 1e-30))
            return (1, 0);
        // Squares of what is large or small by itself would be no numbers any more.
        var unit = new float[block.Length];
        for (var i = 0; i < unit.Length; i++)
            unit[i] = (float)(block[i] / width);
        var weights = powers.ToArray();
        var (from, to) = ((float)(low / width), (float)(high / width));
        var (best, scale, zero, lower, upper) = (float.PositiveInfinity, 1f, (byte)0, 1f, 1f);
        foreach (var share in Shares)
            Range(share, share);
        var both = upper;
        foreach (var share in Shares)
            if (share != both)
                Range(lower, share);
        var top = upper;
        foreach (var share in Shares)
            if (share != both)
                Range(share, top);
        return ((float)(scale * width), zero);

        void Range(float shareOfLow, float shareOfHigh)
        {
            var s = (to * shareOfHigh - from * shareOfLow) / Largest;
            var z = (byte)Math.Clamp(MathF.Round(-from * shareOfLow / s), 0, Largest);
            Try(unit, weights, s, z, out var refined);
            var error = Try(unit, weights, refined, z, out _);
            if (error < best)
                (best, scale, zero, lower, upper) = (error, refined, z, shareOfLow, shareOfHigh);
        }
    }

    /// <summary>The weighted squared error under a scale and zero point, and the scale that is best for the integers that these give.</summary>
    private static float Try(float[] block, float[] powers, float scale, byte zero, out float refined)
    {
        float error = 0, product = 0, square = 0;
        var reciprocal = 1 / scale;
        for (var i = 0; i < block.Length; i++)
        {
            var q = Math.Clamp(MathF.Round(block[i] * reciprocal), -zero, Largest - zero);
            var p = powers.Length == 0 ? 1 : powers[i];
            var d = block[i] - q * scale;
            error += p * d * d;
            product += p * q * block[i];
            square += p * q * q;
        }
        refined = product > 0 && square > 0 && product / square is var r && float.IsNormal(r) ? r : scale;
        return error;
    }
}
