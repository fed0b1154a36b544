using System.Numerics.Tensors;
using ModelBuild.Compression.Calibration;

namespace ModelBuild.Compression.Techniques;

/// <summary>
/// Rounds weights one input after the other, and lets those that are still to be rounded make up for what each rounding costs on the layer's inputs (Frantar et
/// al., GPTQ, 2022): the inputs of the most power first, scales and zero points of blocks fixed beforehand, a hundredth of the mean power added to the
/// diagonal. What the data never fed stays rounded to the nearest.
/// </summary>
public sealed class SecondOrderRounding
{
    /// <summary>What is added to the diagonal, of the mean power.</summary>
    public const double Damping = 0.01;

    // Channels that are rounded side by side: their rows stay in the cache.
    private const int Together = 16;

    private readonly int _depth;
    // The order in which inputs are rounded, and the factor U of the inverse of the second moments, UᵀU, in that order.
    private readonly int[] _order;
    private readonly float[] _factor;

    private SecondOrderRounding(int depth, int[] order, float[] factor) => (_depth, _order, _factor) = (depth, order, factor);

    /// <summary>Prepares the rounding of weights of one group of channels; null where the moments have no inverse.</summary>
    /// <param name="moments">The sum of x·xᵀ over rows of inputs: [depth, depth].</param>
    /// <param name="depth">Inputs of a channel.</param>
    /// <param name="damping">What is added to the diagonal, of the mean power.</param>
    public static SecondOrderRounding? Of(ReadOnlySpan<double> moments, int depth, double damping = Damping)
    {
        var powers = new double[depth];
        for (var i = 0; i < depth; i++)
            powers[i] = moments[i * depth + i];
        var mean = powers.Sum() / depth;
        if (!(mean > 0) || !double.IsFinite(mean))
            return null;
        int[] order = [.. Enumerable.Range(0, depth).OrderByDescending(i => powers[i])];
        var matrix = new double[depth * depth];
        for (var i = 0; i < depth; i++)
            for (var j = 0; j < depth; j++)
                matrix[i * depth + j] = moments[order[i] * depth + order[j]];
        for (var i = 0; i < depth; i++)
            matrix[i * depth + i] += damping * mean;
        return Factorize(matrix, depth) ? new(depth, order, Invert(matrix, depth)) : null;
    }

    /// <summary>The matrix as R·Rᵀ with an upper triangle R, which takes its place.</summary>
    private static bool Factorize(double[] matrix, int n)
    {
        for (var j = n - 1; j >= 0; j--)
        {
            var right = matrix.AsSpan(j * n + j + 1, n - j - 1);
            var rest = matrix[j * n + j] - OrderedSums.Dot<double>(right, right);
            if (!(rest > 0))
                return false;
            var root = Math.Sqrt(rest);
            matrix[j * n + j] = root;
            for (var i = 0; i < j; i++)
                matrix[i * n + j] = (matrix[i * n + j] - OrderedSums.Dot<double>(matrix.AsSpan(i * n + j + 1, n - j - 1), right)) / root;
        }
        return true;
    }

    /// <summary>The inverse of an upper triangle.</summary>
    private static float[] Invert(double[] upper, int n)
    {
        var inverse = new double[n * n];
        for (var i = n - 1; i >= 0; i--)
        {
            var row = inverse.AsSpan(i * n, n);
            for (var k = i + 1; k < n; k++)
                if (upper[i * n + k] is not 0 and var factor)
                    TensorPrimitives.MultiplyAdd(inverse.AsSpan(k * n + k, n - k), -factor, row[k..], row[k..]);
            var diagonal = 1 / upper[i * n + i];
            TensorPrimitives.Multiply(row[i..], diagonal, row[i..]);
            row[i] = diagonal;
        }
        var single = new float[n * n];
        TensorPrimitives.ConvertTruncating<double, float>(inverse, single);
        return single;
    }

    /// <summary>The weights that give some targets with the least squared error: the inverse of the second moments times the moments of inputs and
    /// targets.</summary>
    /// <param name="moments">The sum of x·yᵀ: [depth, targets].</param>
    /// <param name="targets">How many targets there are.</param>
    /// <returns>[targets, depth].</returns>
    public float[] Solve(ReadOnlySpan<double> moments, int targets)
    {
        var solved = new float[targets * _depth];
        var (ordered, half) = (new float[_depth], new float[_depth]);
        for (var t = 0; t < targets; t++)
        {
            for (var i = 0; i < _depth; i++)
                ordered[i] = (float)moments[_order[i] * targets + t];
            Array.Clear(half);
            var whole = new float[_depth];
            for (var i = 0; i < _depth; i++)
                half[i] = OrderedSums.Dot<float>(_factor.AsSpan(i * _depth + i, _depth - i), ordered.AsSpan(i));
            for (var i = 0; i < _depth; i++)
                TensorPrimitives.MultiplyAdd(_factor.AsSpan(i * _depth + i, _depth - i), half[i], whole.AsSpan(i), whole.AsSpan(i));
            for (var i = 0; i < _depth; i++)
                solved[t * _depth + _order[i]] = whole[i];
        }
        return solved;
    }

    /// <summary>Rounds some channels.</summary>
    /// <param name="rows">The weights of all channels: [channels, padded depth].</param>
    /// <param name="blocks">The blocks, with the integers of rounding to the nearest.</param>
    /// <param name="first">The first channel.</param>
    /// <param name="count">How many.</param>
    /// <param name="codes">Receives the integers: [channels, padded depth].</param>
    public void Round(ReadOnlySpan<float> rows, BlockWeights blocks, int first, int count, byte[] codes)
    {
        var (padded, length, perChannel) = (blocks.Layout.PaddedDepth, blocks.Layout.BlockLength, blocks.Layout.Blocks);
        Round(rows, padded, first, count, (channel, input, weight) =>
        {
            var block = channel * perChannel + input / length;
            var (scale, zero) = (blocks.Scales[block], blocks.Zeros[block]);
            var code = codes[channel * padded + input] = BlockWeights.Round(weight, scale, zero);
            return ((float)code - zero) * scale;
        });
    }

    /// <summary>Rounds some channels.</summary>
    /// <param name="rows">The weights of all channels: [channels, padded].</param>
    /// <param name="padded">From one channel to the next.</param>
    /// <param name="first">The first channel.</param>
    /// <param name="count">How many.</param>
    /// <param name="round">Rounds a weight of a channel and an input, and gives what it has become.</param>
    public void Round(ReadOnlySpan<float> rows, int padded, int first, int count, Func<int, int, float, float> round)
    {
        var work = new float[Together * _depth];
        for (var start = first; start < first + count; start += Together)
        {
            var together = Math.Min(Together, first + count - start);
            for (var c = 0; c < together; c++)
                for (var i = 0; i < _depth; i++)
                    work[c * _depth + i] = rows[(start + c) * padded + _order[i]];
            for (var i = 0; i < _depth; i++)
            {
                var behind = _factor.AsSpan(i * _depth + i + 1, _depth - i - 1);
                var own = _factor[i * _depth + i];
                for (var c = 0; c < together; c++)
                {
                    var weight = work[c * _depth + i];
                    var error = (weight - round(start + c, _order[i], weight)) / own;
                    var rest = work.AsSpan(c * _depth + i + 1, _depth - i - 1);
                    TensorPrimitives.MultiplyAdd(behind, -error, rest, rest);
                }
            }
        }
    }
}
