using System.Numerics;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Calibration;

/// <summary>
/// A layer's inputs as rows: what one row of outputs is the product of with the weights. A Gemm or MatMul has a row for each index of the leading axes, a
/// convolution one for each place of its kernel, in each group (Im2col). A repair by least squares needs no more of the inputs.
/// </summary>
public sealed class LayerRows
{
    private readonly Node _node;
    private readonly long[] _kernel;
    private readonly bool _convolution;

    private LayerRows(Node node, int groups, int width, int channels, long[] kernel, bool convolution) =>
        (_node, Groups, Width, Channels, _kernel, _convolution) = (node, groups, width, channels, kernel, convolution);

    /// <summary>Takes a row.</summary>
    /// <param name="group">The group of channels that it belongs to.</param>
    /// <param name="inputs">What the weights are multiplied with, in the order of a filter's elements. Of no use after the call.</param>
    /// <param name="targets">The group's outputs for this row.</param>
    public delegate void Taker(int group, ReadOnlySpan<float> inputs, ReadOnlySpan<float> targets);

    /// <summary>The groups of a convolution; otherwise 1.</summary>
    public int Groups { get; }

    /// <summary>The length of a row.</summary>
    public int Width { get; }

    /// <summary>The outputs of a group.</summary>
    public int Channels { get; }

    /// <summary>The rows of a layer; null where it is none that multiplies floats by weights of known shape.</summary>
    /// <param name="node">Conv, MatMul, or Gemm without transA. Its weights may stand behind nodes that unpack them.</param>
    public static LayerRows? Of(Node node)
    {
        if (node.Domain.Length > 0 || node.Input(1) is not { } weights || (weights.Constant?.Shape.ToArray() ?? weights.Type?.StaticShape) is not { } shape)
            return null;
        return node.OpType switch
        {
            "Conv" when shape.Length >= 3 && (int)node.Int("group", 1) is var groups =>
                new(node, groups, (int)Tensor.Count(shape.AsSpan(1)), (int)shape[0] / groups, shape[2..], true),
            "MatMul" when shape.Length == 2 => new(node, 1, (int)shape[0], (int)shape[1], [], false),
            "Gemm" when shape.Length == 2 && node.Int("transA") == 0 && node.Int("transB") == 1 => new(node, 1, (int)shape[1], (int)shape[0], [], false),
            "Gemm" when shape.Length == 2 && node.Int("transA") == 0 => new(node, 1, (int)shape[0], (int)shape[1], [], false),
            _ => null,
        };
    }

    /// <summary>Goes over the rows of one sample.</summary>
    /// <param name="pair">The sample; its first input and its target are floats.</param>
    /// <param name="take">Takes each row.</param>
    /// <param name="most">About how many rows of each group are taken, spread evenly.</param>
    public void ForEach(LayerPair pair, Taker take, int most = int.MaxValue)
    {
        var (input, target) = (pair.Inputs[0]!, pair.Target);
        if (_convolution)
        {
            Convolution(input, target, pair.Sample, take, most);
            return;
        }
        var x = input.Span<float>();
        var y = target.Span<float>();
        foreach (var r in Spread(x.Length / Width, most, pair.Sample))
            take(0, x.Slice(r * Width, Width), y.Slice(r * Channels, Channels));
    }

    /// <summary>
    /// Some rows of a sample, spread evenly: steps of the golden section, so that rows do not fall into step with the width of a picture, as those at even
    /// distances do (of pictures five wide, every fifth row is the same border). Each sample goes on where the one before has ended.
    /// </summary>
    private static IEnumerable<int> Spread(int count, int most, int sample)
    {
        if (most >= count)
        {
            for (var r = 0; r < count; r++)
                yield return r;
            yield break;
        }
        var step = Math.Max(1, (long)(count * 0.6180339887498949));
        while (BigInteger.GreatestCommonDivisor(step, count) != 1)
            step++;
        var first = (long)sample * most;
        for (var r = 0; r < Math.Max(1, most); r++)
            yield return (int)((first + r) % count * step % count);
    }

    private void Convolution(Tensor input, Tensor target, int sample, Taker take, int most)
    {
        var rank = _kernel.Length;
        var x = input.Span<float>();
        var y = target.Span<float>();
        var (strides, dilations) = (_node.Ints("strides") ?? Ones(rank), _node.Ints("dilations") ?? Ones(rank));
        long[] sizes = [.. input.Shape.Skip(2)], places = [.. target.Shape.Skip(2)];
        var starts = Starts(sizes, places, strides, dilations);
        var (inSize, outSize) = ((int)Tensor.Count(sizes), (int)Tensor.Count(places));
        var perKernel = (int)Tensor.Count(_kernel);
        var perGroup = Width / perKernel;
        // Where each element of the kernel reads, -1 in the padding: the same for all channels.
        var reads = new int[perKernel];
        var (row, outputs) = (new float[Width], new float[Channels]);
        foreach (var r in Spread((int)input.Shape[0] * outSize, most, sample))
        {
            var (n, place) = (r / outSize, r % outSize);
            for (var k = 0; k < perKernel; k++)
            {
                long offset = 0, scale = 1, p = place, e = k;
                for (var d = rank - 1; d >= 0; d--)
                {
                    var at = p % places[d] * strides[d] - starts[d] + e % _kernel[d] * dilations[d];
                    (p, e) = (p / places[d], e / _kernel[d]);
                    offset = offset < 0 || at < 0 || at >= sizes[d] ? -1 : offset + at * scale;
                    scale *= sizes[d];
                }
                reads[k] = (int)offset;
            }
            for (var g = 0; g < Groups; g++)
            {
                for (var c = 0; c < perGroup; c++)
                {
                    var channel = x.Slice(((n * Groups + g) * perGroup + c) * inSize, inSize);
                    for (var k = 0; k < perKernel; k++)
                        row[c * perKernel + k] = reads[k] < 0 ? 0 : channel[reads[k]];
                }
                for (var c = 0; c < Channels; c++)
                    outputs[c] = y[((n * Groups + g) * Channels + c) * outSize + place];
                take(g, row, outputs);
            }
        }
    }

    /// <summary>How much padding stands before each axis.</summary>
    private long[] Starts(long[] sizes, long[] places, long[] strides, long[] dilations)
    {
        var automatic = _node.String("auto_pad", "NOTSET");
        if (automatic is not ("SAME_UPPER" or "SAME_LOWER"))
            return automatic == "VALID" ? new long[sizes.Length] : _node.Ints("pads") ?? new long[sizes.Length];
        return [.. sizes.Select((size, d) =>
        {
            var all = Math.Max(0, (places[d] - 1) * strides[d] + dilations[d] * (_kernel[d] - 1) + 1 - size);
            return automatic == "SAME_UPPER" ? all / 2 : all - all / 2;
        })];
    }

    private static long[] Ones(int count) => [.. Enumerable.Repeat(1L, count)];
}
