using System.Numerics.Tensors;
using ModelBuild.Compression.Calibration;

namespace ModelBuild.Compression.Techniques;

/// <summary>A layer that sums over the channels of a group: what it loses with each of them, as a share of what it gives.</summary>
internal abstract class ChannelReader
{
    /// <summary>What a channel adds to the loss if it goes next; infinite once it is gone.</summary>
    public abstract double Loss(int channel);

    /// <summary>Takes a channel out.</summary>
    public abstract void Remove(int channel);

    /// <summary>The layer as it is with what is left; null where it is not known.</summary>
    public virtual ChangedReader? Changed => null;

    /// <summary>What is lost where the power of each channel's weights is all that is known.</summary>
    /// <param name="powers">For each channel.</param>
    /// <param name="changed">The layer with what is left, of the channels that are gone; null where that is not known.</param>
    public static ChannelReader OfPowers(double[] powers, Func<IReadOnlySet<int>, ChangedReader>? changed = null) => new ByPowers(powers, changed);

    /// <summary>What is lost once the weights that stay make up for those that go, as well as they can (Hassibi and Stork, Optimal Brain Surgeon, 1993; by
    /// channels: Kurtic et al., ZipLM, 2023).</summary>
    /// <param name="weights">[outputs, inputs]; changed.</param>
    /// <param name="moments">The sum of x·xᵀ over rows of inputs.</param>
    /// <param name="columns">The inputs of each channel, side by side: first and how many; those of others stay.</param>
    /// <param name="damping">What is added to the diagonal, of the mean power.</param>
    /// <param name="changed">The layer with what is left, of its weights.</param>
    /// <returns>Null where the moments have no inverse.</returns>
    public static ChannelReader? OfMoments(float[] weights, double[] moments, IReadOnlyList<(int First, int Count)[]> columns, double damping,
        Func<float[], ChangedReader> changed) => ByMoments.Of(weights, moments, columns, damping, changed);

    private sealed class ByPowers(double[] powers, Func<IReadOnlySet<int>, ChangedReader>? changed) : ChannelReader
    {
        private readonly double _all = powers.Sum();
        private readonly double[] _powers = (double[])powers.Clone();

        public override ChangedReader? Changed =>
            changed?.Invoke(Enumerable.Range(0, _powers.Length).Where(c => double.IsInfinity(_powers[c])).ToHashSet());

        public override double Loss(int channel) => _all > 0 ? _powers[channel] / _all : double.IsInfinity(_powers[channel]) ? _powers[channel] : 0;

        public override void Remove(int channel) => _powers[channel] = double.PositiveInfinity;
    }

    private sealed class ByMoments : ChannelReader
    {
        private readonly double[] _weights, _inverse;
        private readonly int[][] _columns;
        private readonly int _width, _outputs;
        private readonly double _all;
        private readonly double[] _losses;
        private readonly Func<float[], ChangedReader> _changed;

        private ByMoments(double[] weights, double[] inverse, int[][] columns, int width, double all, Func<float[], ChangedReader> changed)
        {
            (_weights, _inverse, _columns, _width, _outputs, _all) = (weights, inverse, columns, width, weights.Length / width, all);
            _changed = changed;
            _losses = new double[columns.Length];
            for (var c = 0; c < columns.Length; c++)
                _losses[c] = Lost(c);
        }

        public override ChangedReader? Changed => _changed(Array.ConvertAll(_weights, static w => (float)w));

        public static ByMoments? Of(float[] weights, double[] moments, IReadOnlyList<(int First, int Count)[]> columns, double damping,
            Func<float[], ChangedReader> changed)
        {
            var width = (int)Math.Round(Math.Sqrt(moments.Length));
            var w = Array.ConvertAll(weights, static v => (double)v);
            var product = new double[width];
            var all = 0.0;
            for (var o = 0; o < w.Length / width; o++)
            {
                var row = w.AsSpan(o * width, width);
                Array.Clear(product);
                for (var i = 0; i < width; i++)
                    TensorPrimitives.MultiplyAdd(moments.AsSpan(i * width, width), row[i], product, product);
                var power = OrderedSums.Dot<double>(product, row);
                all += power;
            }
            var inverse = (double[])moments.Clone();
            var mean = 0.0;
            for (var i = 0; i < width; i++)
                mean += moments[i * width + i] / width;
            for (var i = 0; i < width; i++)
                inverse[i * width + i] += damping * mean;
            return all > 0 && mean > 0 && SymmetricMatrix.TryInvert(inverse, width)
                ? new(w, inverse, [.. columns.Select(static c => c.SelectMany(static p => Enumerable.Range(p.First, p.Count)).ToArray())], width, all, changed)
                : null;
        }

        public override double Loss(int channel) => _losses[channel] / _all;

        public override void Remove(int channel)
        {
            var columns = _columns[channel];
            if (columns.Length == 0)
                return;
            // The rows of the inverse that belong to the channel, multiplied by what makes its own block one.
            var own = Block(columns);
            var scaled = new double[columns.Length][];
            for (var i = 0; i < columns.Length; i++)
            {
                scaled[i] = new double[_width];
                for (var j = 0; j < columns.Length; j++)
                    TensorPrimitives.MultiplyAdd(_inverse.AsSpan(columns[j] * _width, _width), own[i * columns.Length + j], scaled[i], scaled[i]);
            }
            for (var o = 0; o < _outputs; o++)
                Subtract(_weights.AsSpan(o * _width, _width));
            for (var r = 0; r < _width; r++)
                Subtract(_inverse.AsSpan(r * _width, _width));
            _losses[channel] = double.PositiveInfinity;
            for (var c = 0; c < _columns.Length; c++)
                if (!double.IsInfinity(_losses[c]))
                    _losses[c] = Lost(c);

            void Subtract(Span<double> row)
            {
                Span<double> factors = stackalloc double[columns.Length];
                for (var i = 0; i < columns.Length; i++)
                    factors[i] = row[columns[i]];
                for (var i = 0; i < columns.Length; i++)
                    if (factors[i] != 0)
                        TensorPrimitives.MultiplyAdd(scaled[i], -factors[i], row, row);
                foreach (var column in columns)
                    row[column] = 0;
            }
        }

        /// <summary>The inverse of a channel's block of the inverse: what it has to itself, given the others.</summary>
        private double[] Block(int[] columns)
        {
            var n = columns.Length;
            var block = new double[n * n];
            for (var i = 0; i < n; i++)
                for (var j = 0; j < n; j++)
                    block[i * n + j] = _inverse[columns[i] * _width + columns[j]];
            // Rounding may have eaten what little is left.
            return SymmetricMatrix.TryInvert(block, n) ? block : new double[n * n];
        }

        private double Lost(int channel)
        {
            var columns = _columns[channel];
            var (n, own, lost) = (columns.Length, Block(columns), 0.0);
            for (var o = 0; o < _outputs; o++)
                for (var i = 0; i < n; i++)
                {
                    var at = _weights[o * _width + columns[i]];
                    for (var j = 0; at != 0 && j < n; j++)
                        lost += at * own[i * n + j] * _weights[o * _width + columns[j]];
                }
            return lost;
        }
    }
}
