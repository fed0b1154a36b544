using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>
/// How the weights of a layer fall into blocks that share a scale: each channel's weights, in the order of a filter's elements, are cut into pieces of equal
/// length; where that does not come out even, zeros fill the last one. The tensor keeps its order, so that unpacking needs no transposition.
/// </summary>
public sealed class BlockLayout
{
    private readonly long[] _shape;
    private readonly int _axis;
    private readonly int _axes;
    // Elements of a channel before and behind the channels' axes: of [outer, channels, inner].
    private readonly int _inner;
    // Blocks run along the outer axis, each step of which has all inner elements; else along the inner one.
    private readonly bool _alongOuter;
    private readonly int _steps;
    private readonly int _blockSteps;

    private BlockLayout(long[] shape, int axis, int axes, int block, bool exact)
    {
        var outer = (int)Tensor.Count(shape.AsSpan(0, axis));
        _inner = (int)Tensor.Count(shape.AsSpan(axis + axes));
        // A scale for each of several leading axes would cost more than its weights where these are few: a transposed convolution's are summed over the first.
        if (axes > 1 && axis == 0 && _inner < block / 2)
            (outer, axis, axes) = ((int)shape[0], 1, axes - 1);
        (_shape, _axis, _axes) = (shape, axis, axes);
        Channels = (int)Tensor.Count(shape.AsSpan(axis, axes));
        _alongOuter = outer > 1;
        _steps = _alongOuter ? outer : _inner;
        _blockSteps = exact ? block : BlockSteps(_steps, Math.Max(1, block / (_alongOuter ? _inner : 1)));
        Blocks = (_steps + _blockSteps - 1) / _blockSteps;
    }

    /// <summary>The layout of a tensor.</summary>
    /// <param name="shape">Its shape.</param>
    /// <param name="axis">The first axis of the channels.</param>
    /// <param name="axes">How many axes count channels.</param>
    /// <param name="block">About how many weights a block has.</param>
    /// <param name="exact">Whether blocks have just so many, and whatever is lacking is filled up: what kernels want of matrices.</param>
    public static BlockLayout Of(ReadOnlySpan<long> shape, int axis, int axes, int block, bool exact = false) => new(shape.ToArray(), axis, axes, block, exact);

    /// <summary>The nearest length, from half to one and a half of what is wanted, that comes out even; else the pieces of an even cut.</summary>
    private static int BlockSteps(int steps, int wanted)
    {
        if (steps <= wanted)
            return Math.Max(1, steps);
        var even = Enumerable.Range(wanted / 2, wanted + 1).Where(d => d > 0 && steps % d == 0).OrderBy(d => Math.Abs(d - wanted)).FirstOrDefault();
        if (even > 0)
            return even;
        var blocks = (steps + wanted - 1) / wanted;
        return (steps + blocks - 1) / blocks;
    }

    /// <summary>How many channels there are.</summary>
    public int Channels { get; }

    /// <summary>Blocks of a channel.</summary>
    public int Blocks { get; }

    /// <summary>Weights of a block.</summary>
    public int BlockLength => _blockSteps * (_alongOuter ? _inner : 1);

    /// <summary>Weights of a channel.</summary>
    public int Depth => _steps * (_alongOuter ? _inner : 1);

    /// <summary>Weights of a channel with what fills its last block.</summary>
    public int PaddedDepth => Blocks * BlockLength;

    /// <summary>Whether the last block of each channel is filled up.</summary>
    public bool IsPadded => PaddedDepth != Depth;

    /// <summary>The shape of the integers: that of the weights, or with the blocks as an axis of their own.</summary>
    public long[] CodesShape => Blocks == 1 ? [.. _shape] : !_alongOuter ? [Channels, Blocks, _blockSteps]
        : _inner == 1 ? [Blocks, _blockSteps, Channels] : [Blocks, _blockSteps, Channels, _inner];

    /// <summary>The shape of scales and zero points, which broadcasts against <see cref="CodesShape"/>.</summary>
    public long[] ScalesShape => Blocks == 1 ? [.. _shape[_axis..(_axis + _axes)], .. Enumerable.Repeat(1L, _shape.Length - _axis - _axes)]
        : !_alongOuter ? [Channels, Blocks, 1] : _inner == 1 ? [Blocks, 1, Channels] : [Blocks, 1, Channels, 1];

    /// <summary>The shape in which what fills the last blocks stands at the end of one axis, which axis that is, and how much of it are weights.</summary>
    public (long[] Shape, int Axis, int Length) Padded => _alongOuter ? ([Blocks * _blockSteps, Channels * _inner], 0, _steps)
        : ([Channels, PaddedDepth], 1, _steps);

    /// <summary>The weights as rows, one for each channel: [channels, padded depth].</summary>
    public float[] Rows(ReadOnlySpan<float> weights)
    {
        var rows = new float[Channels * PaddedDepth];
        for (var i = 0; i < weights.Length; i++)
            rows[_alongOuter ? OuterPosition(i) : i / _inner * PaddedDepth + i % _inner] = weights[i];
        return rows;
    }

    /// <summary>The weights back from rows.</summary>
    public float[] Weights(ReadOnlySpan<float> rows)
    {
        var weights = new float[Channels * Depth];
        for (var i = 0; i < weights.Length; i++)
            weights[i] = rows[_alongOuter ? OuterPosition(i) : i / _inner * PaddedDepth + i % _inner];
        return weights;
    }

    /// <summary>What belongs to the elements of rows, in the order of <see cref="CodesShape"/>.</summary>
    public byte[] InTensorOrder(ReadOnlySpan<byte> rows)
    {
        var ordered = new byte[rows.Length];
        for (var i = 0; i < rows.Length; i++)
            ordered[i] = rows[_alongOuter ? OuterPosition(i) : i];
        return ordered;
    }

    /// <summary>What belongs to blocks, [channels, blocks], in the order of <see cref="ScalesShape"/>.</summary>
    public T[] BlocksInTensorOrder<T>(ReadOnlySpan<T> blocks)
    {
        var ordered = blocks.ToArray();
        if (_alongOuter)
            for (var b = 0; b < Blocks; b++)
                for (var c = 0; c < Channels; c++)
                    ordered[b * Channels + c] = blocks[c * Blocks + b];
        return ordered;
    }

    /// <summary>The place in the rows of an element of [steps, channels, inner], with or without what fills the last block.</summary>
    private int OuterPosition(int element) =>
        element / _inner % Channels * PaddedDepth + element / _inner / Channels * _inner + element % _inner;
}
