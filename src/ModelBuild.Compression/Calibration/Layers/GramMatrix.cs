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
    private readonly double[][] _targetSums = [.. Enumerable.Range(0, rows.Groups).Select(_ => new double[withTargets ? rows.Channels : 0])];
    // Rows that wait to be added together: each row of a large matrix then comes into the cache once for all of them.
    private readonly double[][] _pending = [.. Enumerable.Range(0, rows.Groups).Select(_ => new double[Together * rows.Width])];
    private readonly double[][] _pendingTargets = [.. Enumerable.Range(0, rows.Groups).Select(_ => new double[withTargets ? Together * rows.Channels : 0])];
    private readonly int[] _waiting = new int[rows.Groups];

    private const int Together = 16;

    /// <summary>The inverse of a larger matrix takes minutes.</summary>
    public const int LargestWidth = 2304;

    /// <summary>Rows beyond so many for each input tell nothing more.</summary>
    public const int RowsPerInput = 8;

    // So many are taken in any case.
    private const int LeastRows = 4096;

    /// <summary>How many rows of a layer are enough.</summary>
    public static int EnoughRows(LayerRows rows) => Math.Max(LeastRows, RowsPerInput * rows.Width);

    /// <summary>About how many multiply-adds it takes to gather the moments of a layer that may be fitted; 0 for others.</summary>
    /// <param name="rows">The layer's rows.</param>
    /// <param name="count">How many there are.</param>
    public static double WorkOf(LayerRows rows, double count) =>
        rows.Width > LargestWidth ? 0 : rows.Groups * Math.Min(count, EnoughRows(rows)) * rows.Width * rows.Width / 2;

    /// <summary>How many rows each group has seen.</summary>
    public long Count { get; private set; }

    /// <summary>Adds a sample.</summary>
    /// <param name="pair">The sample.</param>
    /// <param name="most">About how many of its rows are taken, spread evenly.</param>
    public void Add(LayerPair pair, int most = int.MaxValue) => rows.ForEach(pair, Add, most);

    private void Add(int group, ReadOnlySpan<float> inputs, ReadOnlySpan<float> targets)
    {
        var (width, channels, at) = (rows.Width, rows.Channels, _waiting[group]);
        var row = _pending[group].AsSpan(at * width, width);
        TensorPrimitives.ConvertTruncating(inputs, row);
        TensorPrimitives.Add(_sums[group], row, _sums[group]);
        if (withTargets)
        {
            var pending = _pendingTargets[group].AsSpan(at * channels, channels);
            TensorPrimitives.ConvertTruncating(targets, pending);
            TensorPrimitives.Add(_targetSums[group], pending, _targetSums[group]);
        }
        if (++_waiting[group] == Together)
            AddPending(group);
        if (group == 0)
            Count++;
    }

    private void AddPending(int group)
    {
        var (width, channels, pending, targets) = (rows.Width, rows.Channels, _pending[group], _pendingTargets[group]);
        for (var i = 0; i < width; i++)
        {
            // The other half is the same.
            var upper = _inputs[group].AsSpan(i * width + i, width - i);
            var product = withTargets ? _targets[group].AsSpan(i * channels, channels) : default;
            for (var r = 0; r < _waiting[group]; r++)
            {
                // Behind an activation many are 0.
                if (pending[r * width + i] is not 0 and var factor)
                {
                    TensorPrimitives.MultiplyAdd(pending.AsSpan(r * width + i, width - i), factor, upper, upper);
                    if (withTargets)
                        TensorPrimitives.MultiplyAdd(targets.AsSpan(r * channels, channels), factor, product, product);
                }
            }
        }
        _waiting[group] = 0;
    }

    /// <summary>The sum of x·xᵀ of a group, row by row: [width, width].</summary>
    /// <param name="group">The group.</param>
    /// <param name="aboutMeans">Whether x is taken less its mean: what a bias makes up for does not count then.</param>
    public double[] Inputs(int group, bool aboutMeans = false)
    {
        AddPending(group);
        var (width, full) = (rows.Width, (double[])_inputs[group].Clone());
        for (var i = 0; i < width; i++)
            for (var j = i + 1; j < width; j++)
                full[j * width + i] = full[i * width + j];
        return aboutMeans ? AboutMeans(full, group, _sums[group]) : full;
    }

    /// <summary>The sum of x of a group.</summary>
    public double[] Sums(int group) => _sums[group];

    /// <summary>The sum of y of a group.</summary>
    public double[] TargetSums(int group) => _targetSums[group];

    /// <summary>The sum of x·yᵀ of a group, row by row: [width, channels].</summary>
    /// <param name="group">The group.</param>
    /// <param name="aboutMeans">Whether both are taken less their means.</param>
    public double[] Targets(int group, bool aboutMeans = false)
    {
        AddPending(group);
        return aboutMeans ? AboutMeans((double[])_targets[group].Clone(), group, _targetSums[group]) : _targets[group];
    }

    private double[] AboutMeans(double[] moments, int group, double[] others)
    {
        for (var i = 0; i < rows.Width; i++)
        {
            var row = moments.AsSpan(i * others.Length, others.Length);
            TensorPrimitives.MultiplyAdd(others, -_sums[group][i] / Count, row, row);
        }
        return moments;
    }
}
