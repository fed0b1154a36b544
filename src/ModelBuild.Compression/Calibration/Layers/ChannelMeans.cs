using ModelBuild.Onnx;

namespace ModelBuild.Compression.Calibration;

/// <summary>The mean of what a layer lacks, target less output, for each channel: what a bias can make up for.</summary>
/// <param name="axis">The axis of the channels: 1 of a convolution's output, the last one (-1) of a matrix product's.</param>
public sealed class ChannelMeans(int axis)
{
    private double[] _sums = [];
    private double[] _squares = [];

    /// <summary>How many values of each channel were seen.</summary>
    public long Count { get; private set; }

    /// <summary>Adds a sample.</summary>
    public void Add(LayerPair pair) => Add(pair.Target, pair.Output);

    /// <summary>Adds tensors of floats of one shape.</summary>
    /// <exception cref="ArgumentException">Their shapes differ, or their channels are others than before.</exception>
    public void Add(Tensor target, Tensor output)
    {
        if (!target.Shape.AsSpan().SequenceEqual(output.Shape.AsSpan()))
            throw new ArgumentException($"the target is {target}, the output {output}", nameof(output));
        var at = axis < 0 ? axis + target.Rank : axis;
        var channels = (int)target.Shape[at];
        if (_sums.Length == 0)
            (_sums, _squares) = (new double[channels], new double[channels]);
        else if (_sums.Length != channels)
            throw new ArgumentException($"the target {target} has {channels} channels, those before had {_sums.Length}", nameof(target));
        var inner = 1;
        for (var i = at + 1; i < target.Rank; i++)
            inner *= (int)target.Shape[i];
        var wanted = target.Span<float>();
        var given = output.Span<float>();
        for (var start = 0; start < wanted.Length; start += inner)
        {
            double sum = 0, squares = 0;
            for (var i = start; i < start + inner; i++)
            {
                var lacking = (double)wanted[i] - given[i];
                sum += lacking;
                squares += lacking * lacking;
            }
            var channel = start / inner % channels;
            _sums[channel] += sum;
            _squares[channel] += squares;
        }
        if (channels > 0)
            Count += target.Length / channels;
    }

    /// <summary>The mean of each channel.</summary>
    public double[] Means => [.. _sums.Select(s => s / Math.Max(1, Count))];

    /// <summary>The mean square of each channel.</summary>
    public double[] MeanSquares => [.. _squares.Select(s => s / Math.Max(1, Count))];
}
