using System.Numerics.Tensors;

namespace ModelBuild.Compression.Calibration;

/// <summary>
/// The second moments of a layer's inputs: for each group the sum over all rows of x·xᵀ, and of x·yᵀ with the targets y. A matrix of 2304 inputs takes 42 MB.
/// Least squares, whitened factorization and second-order pruning need no more of the data.
/// </summary>
/// <param name="rows">How the layer's inputs are rows.</param>
/// <param name="withTargets">Whether targets are wanted, too.</param>
public sealed class GramMatrix(LayerRows rows, bool withTargets = true)
{
    private readonly double[][] _inputs = [.. Enumerable.Range(0, rows.Groups).Select(_ => new double[rows.Width * rows.Width])];
    private readonly double[][] _targets = [.. Enumerable.Range(0, rows.Groups).Select(_ => new double[withTargets ? rows.Width * rows.Channels : 0])];
    private readonly double[][] _sums = [.. Enumerable.Range(0, rows.Groups).Select(_ => new double[rows.Width])];
    private readonly double[] _row = new double[rows.Width];
    private readonly double[] _target = new double[rows.Channels];

    /// <summary>How many rows each group has seen.</summary>
    public long Count { get; private set; }

    /// <summary>Adds a sample.</summary>
    /// <param name="pair">The sample.</param>
    /// <param name="most">About how many of its rows are taken, spread evenly.</param>
    public void Add(LayerPair pair, int most = int.MaxValue) => rows.ForEach(pair, Add, most);

    private void Add(int group, ReadOnlySpan<float> inputs, ReadOnlySpan<float> targets)
    {
        TensorPrimitives.ConvertTruncating(inputs, _row);
        TensorPrimitives.ConvertTruncating(targets, _target);
        var (width, channels) = (rows.Width, rows.Channels);
        TensorPrimitives.Add(_sums[group], _row, _sums[group]);
        for (var i = 0; i < width; i++)
        {
            // Behind an activation many are 0.
            if (_row[i] == 0)
                continue;
            // The other half is the same.
            var upper = _inputs[group].AsSpan(i * width + i, width - i);
            TensorPrimitives.MultiplyAdd(_row.AsSpan(i), _row[i], upper, upper);
            if (!withTargets)
                continue;
            var product = _targets[group].AsSpan(i * channels, channels);
            TensorPrimitives.MultiplyAdd(_target, _row[i], product, product);
        }
        if (group == 0)
            Count++;
    }

    /// <summary>The sum of x·xᵀ of a group, row by row: [width, width].</summary>
    public double[] Inputs(int group)
    {
        var (width, full) = (rows.Width, (double[])_inputs[group].Clone());
        for (var i = 0; i < width; i++)
            for (var j = i + 1; j < width; j++)
                full[j * width + i] = full[i * width + j];
        return full;
    }

    /// <summary>The sum of x of a group.</summary>
    public double[] Sums(int group) => _sums[group];

    /// <summary>The sum of x·yᵀ of a group, row by row: [width, channels].</summary>
    public double[] Targets(int group) => _targets[group];
}
