using System.Numerics;
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
    private readonly float[][] _pending = [.. Enumerable.Range(0, rows.Groups).Select(_ => new float[Together * rows.Width])];
    private readonly float[][] _pendingTargets = [.. Enumerable.Range(0, rows.Groups).Select(_ => new float[withTargets ? Together * rows.Channels : 0])];
    private readonly int[] _waiting = new int[rows.Groups];
    private readonly float[] _sum = new float[Math.Max(rows.Width, rows.Channels)];

    // The products of so many rows are added up in single precision, their sums in double.
    private const int Together = 32;

    /// <summary>Rows beyond so many for each input tell nothing more.</summary>
    public const int RowsPerInput = 8;

    /// <summary>So many rows are taken in any case.</summary>
    public const int LeastRows = 4096;

    /// <summary>About how many multiply-adds it takes to gather the moments of a layer that may be fitted; 0 for others.</summary>
    /// <param name="rows">The layer's rows.</param>
    /// <param name="count">How many there are.</param>
    public static double WorkOf(LayerRows rows, double count) => rows.Width > LargestWidth ? 0
        : rows.Groups * Math.Min(count, Math.Max(LeastRows, (double)RowsPerInput * rows.Width)) * rows.Width * rows.Width / 2;

    /// <summary>The inverse of a larger matrix takes minutes.</summary>
    public const int LargestWidth = 2304;

    /// <summary>How many rows each group has seen.</summary>
    public long Count { get; private set; }

    /// <summary>Adds a sample.</summary>
    /// <param name="pair">The sample.</param>
    /// <param name="most">About how many of its rows are taken, spread evenly.</param>
    public void Add(LayerPair pair, int most = int.MaxValue) => rows.ForEach(pair, Add, most);

    private void Add(int group, ReadOnlySpan<float> inputs, ReadOnlySpan<float> targets)
    {
        var (width, channels, at) = (rows.Width, rows.Channels, _waiting[group]);
        inputs.CopyTo(_pending[group].AsSpan(at * width, width));
        AddTo(_sums[group], inputs);
        if (withTargets)
        {
            targets.CopyTo(_pendingTargets[group].AsSpan(at * channels, channels));
            AddTo(_targetSums[group], targets);
        }
        if (++_waiting[group] == Together)
            AddPending(group);
        if (group == 0)
            Count++;
    }

    private void AddPending(int group)
    {
        var (width, channels, pending, targets) = (rows.Width, rows.Channels, _pending[group], _pendingTargets[group]);
        Span<float> factors = stackalloc float[Together];
        for (var i = 0; i < width; i++)
        {
            for (var r = 0; r < _waiting[group]; r++)
                factors[r] = pending[r * width + i];
            // The other half is the same.
            if (Products(pending, width, i, width - i, factors[.._waiting[group]]))
            {
                AddTo(_inputs[group].AsSpan(i * width + i, width - i), _sum.AsSpan(0, width - i));
                if (withTargets && Products(targets, channels, 0, channels, factors[.._waiting[group]]))
                    AddTo(_targets[group].AsSpan(i * channels, channels), _sum.AsSpan(0, channels));
            }
        }
        _waiting[group] = 0;
    }

    /// <summary>The sum of some rows times a factor each; false where all factors are 0, as many are behind an activation.</summary>
    private bool Products(float[] rowsOf, int stride, int first, int length, ReadOnlySpan<float> factors)
    {
        Span<int> used = stackalloc int[factors.Length];
        var count = 0;
        for (var r = 0; r < factors.Length; r++)
            if (factors[r] != 0)
                used[count++] = r;
        var sum = _sum.AsSpan(0, length);
        sum.Clear();
        var at = 0;
        for (; at + 4 <= count; at += 4)
        {
            var (a, b, c, d) = (used[at], used[at + 1], used[at + 2], used[at + 3]);
            var x = rowsOf.AsSpan(a * stride + first, length);
            var y = rowsOf.AsSpan(b * stride + first, length);
            var z = rowsOf.AsSpan(c * stride + first, length);
            var w = rowsOf.AsSpan(d * stride + first, length);
            var i = 0;
            for (; i + Vector<float>.Count <= length; i += Vector<float>.Count)
            {
                var s = new Vector<float>(sum[i..]) + factors[a] * new Vector<float>(x[i..]);
                s += factors[b] * new Vector<float>(y[i..]);
                s += factors[c] * new Vector<float>(z[i..]);
                (s + factors[d] * new Vector<float>(w[i..])).CopyTo(sum[i..]);
            }
            for (; i < length; i++)
                sum[i] = sum[i] + factors[a] * x[i] + factors[b] * y[i] + factors[c] * z[i] + factors[d] * w[i];
        }
        for (; at < count; at++)
            TensorPrimitives.MultiplyAdd(rowsOf.AsSpan(used[at] * stride + first, length), factors[used[at]], sum, sum);
        return count > 0;
    }

    private static void AddTo(Span<double> sums, ReadOnlySpan<float> values)
    {
        var i = 0;
        for (; i + Vector<float>.Count <= values.Length; i += Vector<float>.Count)
        {
            Vector.Widen(new Vector<float>(values[i..]), out var low, out var high);
            (new Vector<double>(sums[i..]) + low).CopyTo(sums[i..]);
            var behind = sums[(i + Vector<double>.Count)..];
            (new Vector<double>(behind) + high).CopyTo(behind);
        }
        for (; i < values.Length; i++)
            sums[i] += values[i];
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
