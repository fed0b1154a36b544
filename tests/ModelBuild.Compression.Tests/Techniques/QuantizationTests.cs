using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Techniques;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Techniques;

public class QuantizationTests
{
    [Theory]
    [InlineData(0f, 6f)]
    [InlineData(-1f, 1f)]
    [InlineData(-3.7f, 0.2f)]
    [InlineData(0f, 1e-20f)]
    [InlineData(-1e30f, 1e30f)]
    public void Zero_is_represented_exactly_and_the_ends_within_a_step(float low, float high)
    {
        foreach (var type in new[] { ElementType.UInt8, ElementType.Int8 })
        {
            var q = Quantization.OfRange(low, high, type);
            var (min, max) = type == ElementType.UInt8 ? (0, 255) : (-128, 127);
            Assert.InRange(q.ZeroPoint, min, max);
            Assert.True(q.Scale > 0 && float.IsFinite(q.Scale));
            Assert.InRange((max - q.ZeroPoint) * (double)q.Scale, high - (double)q.Scale, double.MaxValue);
            Assert.InRange((min - q.ZeroPoint) * (double)q.Scale, double.MinValue, low + (double)q.Scale);
        }
    }

    [Fact]
    public void A_relu_range_has_the_lowest_zero_point()
    {
        Assert.Equal(0, Quantization.OfRange(0, 5, ElementType.UInt8).ZeroPoint);
        Assert.Equal(-128, Quantization.OfRange(0, 5, ElementType.Int8).ZeroPoint);
    }

    [Theory]
    [InlineData(0, 127)]
    [InlineData(1, 127)]
    [InlineData(1, 63)]
    public void Weights_round_to_the_nearest_step_of_their_channel(int axis, int limit)
    {
        var weights = Tensor.Of(Enumerable.Range(0, 60).Select(i => MathF.Sin(i * 1.7f) * (1 + i % 5)).ToArray(), 4, 15);
        var q = QuantizedWeights.Of(weights, axis, limit);
        Assert.Equal(weights.Shape[axis], q.Scales.Length);
        var source = weights.ToArray<float>();
        var data = q.Data.ToArray<sbyte>();
        for (var i = 0; i < source.Length; i++)
        {
            var scale = q.Scales[axis == 0 ? i / 15 : i % 15];
            Assert.InRange(data[i], -limit, limit);
            Assert.InRange(Math.Abs(source[i] - data[i] * scale), 0, scale * 0.5001f);
        }
        Assert.Contains(data, d => Math.Abs((int)d) == limit);
    }

    [Fact]
    public void A_channel_of_zeros_is_harmless()
    {
        var q = QuantizedWeights.Of(Tensor.Of(new float[8], 2, 4), 0, 127);
        Assert.All(q.Scales, s => Assert.Equal(1, s));
        Assert.All(q.Data.ToArray<sbyte>(), d => Assert.Equal(0, d));
    }

    [Fact]
    public void Histograms_do_not_depend_on_how_values_are_cut_into_calls()
    {
        var random = new Random(7);
        var values = Enumerable.Range(0, 10000).Select(_ => (float)(random.NextDouble() - 0.3) * 7).ToArray();
        var whole = new RangeHistogram();
        whole.Add(values);
        var parts = new RangeHistogram();
        for (var i = 0; i < values.Length; i += 100)
            parts.Add(values.AsSpan(i, 100));
        Assert.Equal(whole.Minimum, parts.Minimum);
        Assert.Equal(whole.Maximum, parts.Maximum);
        Assert.Equal(10000, parts.NonEmpty().Sum(b => b.Count) + parts.Zeros);
        var (a, b) = (RangeEstimator.Estimate(whole, RangeMethod.MeanSquaredError), RangeEstimator.Estimate(parts, RangeMethod.MeanSquaredError));
        Assert.InRange(Math.Abs(a.High - b.High), 0, 0.3);
    }

    [Fact]
    public void Least_squares_cuts_an_outlier_off_and_keeps_an_even_spread()
    {
        var random = new Random(3);
        var histogram = new RangeHistogram();
        // So many values that the noise of a range four times as wide outweighs one clipped outlier.
        for (var i = 0; i < 10; i++)
            histogram.Add(Enumerable.Range(0, 200000).Select(_ => (float)random.NextDouble()).ToArray());
        Assert.InRange(RangeEstimator.Estimate(histogram, RangeMethod.MeanSquaredError).High, 0.95f, 1.01f);
        histogram.Add([4f]);
        Assert.Equal(4f, RangeEstimator.Estimate(histogram, RangeMethod.MinMax).High);
        Assert.InRange(RangeEstimator.Estimate(histogram, RangeMethod.MeanSquaredError).High, 0.9f, 2f);
    }

    [Theory]
    [InlineData(RangeMethod.MinMax)]
    [InlineData(RangeMethod.MeanSquaredError)]
    [InlineData(RangeMethod.Percentile)]
    [InlineData(RangeMethod.Entropy)]
    public void Few_values_are_not_taken_for_all_there_are(RangeMethod method)
    {
        var random = new Random(11);
        float Normal() => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        for (var trial = 0; trial < 20; trial++)
        {
            var histogram = new RangeHistogram();
            histogram.Add([.. Enumerable.Range(0, 96).Select(_ => Normal())]);
            var (low, high) = RangeEstimator.Estimate(histogram, method);
            Assert.True(low < histogram.Minimum && high > histogram.Maximum);
            // Noise of the tails that are cut off, over the signal: a hundredth is the budget.
            var fresh = Enumerable.Range(0, 10000).Select(_ => Normal()).ToArray();
            Assert.InRange(fresh.Sum(v => Math.Pow(v - Math.Clamp(v, low, high), 2)) / fresh.Sum(v => v * v), 0, 0.005);
            Assert.InRange(high - low, 0, 16);
        }
    }

    [Fact]
    public void Ranges_go_no_further_than_the_tails_tell()
    {
        var random = new Random(5);
        var even = new RangeHistogram();
        even.Add([.. Enumerable.Range(0, 500).Select(_ => (float)random.NextDouble())]);
        Assert.InRange(RangeEstimator.Estimate(even, RangeMethod.MinMax).High, even.Maximum, 1.1f);
        // What many values have in common is an end.
        var bounded = new RangeHistogram();
        bounded.Add([.. Enumerable.Range(0, 900).Select(i => Math.Min(6f, i * 0.01f))]);
        Assert.Equal((0f, 6f), RangeEstimator.Estimate(bounded, RangeMethod.MinMax));
        var many = new RangeHistogram();
        many.Add([.. Enumerable.Range(0, 2000).Select(_ => (float)random.NextDouble())]);
        Assert.Equal((0f, many.Maximum), RangeEstimator.Estimate(many, RangeMethod.MinMax));
        var none = new RangeHistogram();
        none.Add(new float[10]);
        Assert.Equal((0f, 0f), RangeEstimator.Estimate(none, RangeMethod.MeanSquaredError));
    }

    [Fact]
    public void Values_that_are_not_finite_do_not_break_a_histogram()
    {
        var histogram = new RangeHistogram();
        histogram.Add([float.NaN, float.PositiveInfinity, 1, -2, 0]);
        Assert.Equal((-2f, 1f), (histogram.Minimum, histogram.Maximum));
        Assert.Equal(2, histogram.NonFinite);
    }
}
