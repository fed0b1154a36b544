using ModelBuild.Compression.Techniques;
using ModelBuild.Compression.Tests.Support;

namespace ModelBuild.Compression.Tests.Techniques;

/// <summary>Rounding that makes up for itself: less noise of the outputs, whatever the inputs are like.</summary>
public class SecondOrderRoundingTests
{
    private const int Depth = 40, Channels = 20, Rows = 400;

    private static double[] Moments(float[] x)
    {
        var moments = new double[Depth * Depth];
        for (var r = 0; r < Rows; r++)
            for (var i = 0; i < Depth; i++)
                for (var j = 0; j < Depth; j++)
                    moments[i * Depth + j] += (double)x[r * Depth + i] * x[r * Depth + j];
        return moments;
    }

    /// <summary>Rows of inputs that depend on each other.</summary>
    private static float[] Inputs(int seed, Func<int, bool>? isDead = null)
    {
        var (own, common) = (Nets.Noise(Rows * Depth, seed), Nets.Noise(Rows * 4, seed + 1));
        return [.. own.Select((v, i) => isDead?.Invoke(i % Depth) == true ? 0 : 0.3f * v + common[i / Depth * 4 + i % Depth % 4] * (1 + i % Depth / 10f))];
    }

    private static double Noise(float[] x, float[] weights, float[] rounded)
    {
        var noise = 0.0;
        for (var r = 0; r < Rows; r++)
            for (var c = 0; c < Channels; c++)
            {
                var d = 0.0;
                for (var i = 0; i < Depth; i++)
                    d += x[r * Depth + i] * ((double)weights[c * Depth + i] - rounded[c * Depth + i]);
                noise += d * d;
            }
        return noise;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void It_adds_less_noise_to_outputs_than_rounding_to_the_nearest_on_other_rows_too(bool hasDead)
    {
        Func<int, bool>? isDead = hasDead ? static i => i % 7 == 3 : null;
        var weights = Nets.Noise(Channels * Depth, 8);
        var layout = BlockLayout.Of([Channels, Depth], 0, 1, 16);
        var nearest = BlockWeights.Nearest(layout, weights);
        var codes = (byte[])nearest.Codes.Clone();
        SecondOrderRounding.Of(Moments(Inputs(1, isDead)), Depth)!.Round(weights, nearest, 0, Channels, codes);
        var fitted = nearest.With(codes);
        var x = Inputs(5, isDead);
        Assert.True(Noise(x, weights, fitted.Rows()) < 0.5 * Noise(x, weights, nearest.Rows()));
        // What was never fed is rounded to the nearest.
        if (isDead is not null)
            Assert.All(Enumerable.Range(0, codes.Length).Where(i => isDead(i % Depth)), i => Assert.Equal(nearest.Codes[i], codes[i]));
    }

    [Fact]
    public void Inputs_that_do_not_depend_on_each_other_leave_all_as_it_was()
    {
        var moments = new double[Depth * Depth];
        for (var i = 0; i < Depth; i++)
            moments[i * Depth + i] = 1 + i;
        var weights = Nets.Noise(Channels * Depth, 8);
        var nearest = BlockWeights.Nearest(BlockLayout.Of([Channels, Depth], 0, 1, 16), weights);
        var codes = new byte[nearest.Codes.Length];
        SecondOrderRounding.Of(moments, Depth)!.Round(weights, nearest, 0, Channels, codes);
        Assert.Equal(nearest.Codes, codes);
    }

    [Fact]
    public void Least_squares_find_the_weights_that_made_the_targets()
    {
        var (x, weights) = (Inputs(1), Nets.Noise(3 * Depth, 9));
        var targets = new double[Depth * 3];
        for (var r = 0; r < Rows; r++)
            for (var t = 0; t < 3; t++)
            {
                var y = 0.0;
                for (var i = 0; i < Depth; i++)
                    y += (double)weights[t * Depth + i] * x[r * Depth + i];
                for (var i = 0; i < Depth; i++)
                    targets[i * 3 + t] += y * x[r * Depth + i];
            }
        var solved = SecondOrderRounding.Of(Moments(x), Depth, 1e-7)!.Solve(targets, 3);
        for (var i = 0; i < solved.Length; i++)
            Assert.Equal(weights[i], solved[i], 0.01);
        // The more is added to the diagonal, the nearer to none.
        var damped = SecondOrderRounding.Of(Moments(x), Depth, 10)!.Solve(targets, 3);
        Assert.InRange(damped.Sum(Math.Abs), 0, 0.5 * weights.Sum(Math.Abs));
    }

    [Fact]
    public void Without_any_input_there_is_nothing_to_go_by()
    {
        Assert.Null(SecondOrderRounding.Of(new double[Depth * Depth], Depth));
        Assert.Null(SecondOrderRounding.Of([.. Enumerable.Repeat(double.NaN, Depth * Depth)], Depth));
    }

    [Fact]
    public void Scales_fitted_to_powers_lose_less_where_the_power_is()
    {
        var weights = Nets.Noise(Depth, 8);
        weights[7] = 4;
        float[] powers = [.. Enumerable.Range(0, Depth).Select(i => i == 7 ? 0.001f : 1f)];
        var layout = BlockLayout.Of([1, Depth], 0, 1, Depth);
        double Weighted(BlockWeights blocks) => blocks.Rows().Zip(weights, (a, b) => (double)(a - b) * (a - b)).Zip(powers, (d, p) => d * p).Sum();
        Assert.True(Weighted(BlockWeights.Nearest(layout, weights, powers)) < 0.7 * Weighted(BlockWeights.Nearest(layout, weights)));
    }
}
