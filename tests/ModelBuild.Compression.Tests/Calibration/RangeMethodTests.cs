using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Zoo;

namespace ModelBuild.Compression.Tests.Calibration;

/// <summary>Ranges by value, on distributions whose answer is known.</summary>
public class RangeMethodTests
{
    private static float[] Normal(int count, int seed, double mean = 0)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count)
            .Select(_ => (float)(mean + Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];
    }

    private static RangeHistogram Of(params IEnumerable<float[]> batches)
    {
        var histogram = new RangeHistogram();
        foreach (var batch in batches)
            histogram.Add(batch);
        return histogram;
    }

    public static TheoryData<RangeMethod> All => [.. Enum.GetValues<RangeMethod>()];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void One_outlier_among_a_million_is_cut_off(bool isFirst)
    {
        var values = Normal(1_000_000, 1);
        var histogram = isFirst ? Of([100f], values) : Of(values, [100f]);
        Assert.Equal((values.Min(), 100f), RangeEstimator.Estimate(histogram, RangeMethod.MinMax));

        // Of a normal distribution 1e-5 lie beyond 4.26; ten values tell it to a tenth or two, and a bin is up to 0.1 wide here.
        var (low, high) = RangeEstimator.Estimate(histogram, RangeMethod.Percentile);
        Assert.InRange(low, -4.5f, -4.05f);
        Assert.InRange(high, 4.05f, 4.5f);

        // The outlier makes bins so wide that a range of less than 256 of them shows no difference.
        (low, high) = RangeEstimator.Estimate(histogram, RangeMethod.Entropy);
        Assert.InRange(low, -5.5f, -3f);
        Assert.InRange(high, 3f, 24f);
        Assert.InRange(high - low, 8, 26);
    }

    [Fact]
    public void A_percentile_is_the_one_of_the_sorted_values_to_a_bin()
    {
        // Skewed, 30 % zeros; 400000 values, of which four lie beyond either end.
        var random = new Random(2);
        var values = Enumerable.Range(0, 400_000)
            .Select(_ => random.NextDouble() < 0.3 ? 0 : (float)(Math.Pow(random.NextDouble(), 3) * 9 - random.NextDouble())).ToArray();
        var sorted = values.Order().ToArray();
        foreach (var histogram in new[] { Of(values), Of([.. values.Chunk(1000)]), Of([0.01f], values), Of([17f], values) })
        {
            var bin = 2 * Math.Max(9, histogram.Maximum) / 2048;
            var (low, high) = RangeEstimator.Estimate(histogram, RangeMethod.Percentile);
            Assert.InRange(low, sorted[4] - bin, sorted[4] + bin);
            Assert.InRange(high, sorted[^5] - bin, sorted[^5] + bin);
            Assert.True(low >= histogram.Minimum && high <= histogram.Maximum);
        }
    }

    [Fact]
    public void A_percentile_cuts_nothing_where_less_than_a_value_would_lie_beyond()
    {
        var values = Normal(50_000, 3);
        Assert.Equal((values.Min(), values.Max()), RangeEstimator.Estimate(Of(values), RangeMethod.Percentile));
    }

    [Fact]
    public void A_side_that_is_all_beyond_the_percentile_is_kept()
    {
        // Two hundred million zeros: 2000 values may lie beyond, and 1500 are all that there is.
        var zeros = new float[1_000_000];
        var histogram = Of(Enumerable.Repeat(zeros, 200).Append([.. Enumerable.Range(1, 1500).Select(i => i / 1500f)]));
        Assert.Equal((0f, 1f), RangeEstimator.Estimate(histogram, RangeMethod.Percentile));
    }

    [Theory, MemberData(nameof(All))]
    public void One_sided_data_has_an_end_at_zero(RangeMethod method)
    {
        var values = Normal(1_000_000, 4).Select(Math.Abs).ToArray();
        var (low, high) = RangeEstimator.Estimate(Of(values), method);
        Assert.Equal(0, low);
        Assert.InRange(high, 3f, values.Max());
        (low, high) = RangeEstimator.Estimate(Of([.. values.Select(v => -v)]), method);
        Assert.Equal(0, high);
        Assert.InRange(low, -values.Max(), -3f);
        // Away from 0 the range still contains it.
        (low, high) = RangeEstimator.Estimate(Of(Normal(1_000_000, 5, 20)), method);
        Assert.Equal(0, low);
        Assert.InRange(high, 23f, 26f);
    }

    [Theory, MemberData(nameof(All))]
    public void An_even_spread_is_kept_whole(RangeMethod method)
    {
        var random = new Random(6);
        var (low, high) = RangeEstimator.Estimate(Of([.. Enumerable.Range(0, 1_000_000).Select(_ => (float)random.NextDouble() * 3 - 1)]), method);
        Assert.InRange(low, -1f, -0.95f);
        Assert.InRange(high, 1.9f, 2f);
    }

    [Theory, MemberData(nameof(All))]
    public void Of_few_values_nothing_is_cut_off(RangeMethod method)
    {
        var (low, high) = RangeEstimator.Estimate(Of(Normal(900, 7)), method);
        Assert.Equal(RangeEstimator.Estimate(Of(Normal(900, 7)), RangeMethod.MinMax), (low, high));
        // So on a side of its own.
        var histogram = Of([.. Normal(1_000_000, 8).Select(Math.Abs)], [-7f, -2f, -50f]);
        (low, high) = RangeEstimator.Estimate(histogram, method);
        Assert.InRange(low, float.MinValue, -50f);
        Assert.Equal(RangeEstimator.Estimate(histogram, RangeMethod.MinMax).Low, low);
        // The other side goes its own way; a step is more than 1 here.
        Assert.InRange(high, 2f, histogram.Maximum);
    }

    [Theory, MemberData(nameof(All))]
    public void Values_without_a_spread(RangeMethod method)
    {
        Assert.Equal((0f, 0f), RangeEstimator.Estimate(new RangeHistogram(), method));
        Assert.Equal((0f, 0f), RangeEstimator.Estimate(Of(new float[5000]), method));
        Assert.Equal((0f, 0f), RangeEstimator.Estimate(Of([.. Enumerable.Repeat(float.NaN, 5000)]), method));
        Assert.Equal((0f, 3f), RangeEstimator.Estimate(Of([.. Enumerable.Repeat(3f, 200_000)]), method));
        Assert.Equal((-1e-30f, 0f), RangeEstimator.Estimate(Of([.. Enumerable.Repeat(-1e-30f, 200_000)]), method));
        Assert.Equal((-1f, 2f), RangeEstimator.Estimate(Of([.. Enumerable.Range(0, 200_000).Select(i => i % 2 == 0 ? -1f : 2f)]), method));
    }

    [Theory, MemberData(nameof(All))]
    public void Values_that_are_not_finite_change_nothing(RangeMethod method)
    {
        var values = Normal(300_000, 9);
        float[] bad = [float.NaN, float.PositiveInfinity, 0, float.NegativeInfinity];
        var histogram = Of(bad, [.. bad, .. values], bad);
        Assert.Equal((9, 3), (histogram.NonFinite, histogram.Zeros));
        Assert.Equal(RangeEstimator.Estimate(Of([0, 0, 0, .. values]), method), RangeEstimator.Estimate(histogram, method));
    }

    [Fact]
    public void Zeros_and_one_frequent_value_do_not_narrow_the_range_of_least_divergence()
    {
        var values = Normal(1_000_000, 10);
        var (low, high) = RangeEstimator.Estimate(Of(values), RangeMethod.Entropy);
        Assert.InRange(low, -5f, -3f);
        Assert.InRange(high, 3f, 5f);
        Assert.Equal((low, high), RangeEstimator.Estimate(Of(values, new float[3_000_000]), RangeMethod.Entropy));
        var (frequentLow, frequentHigh) = RangeEstimator.Estimate(Of(values, [.. Enumerable.Repeat(0.7f, 3_000_000)]), RangeMethod.Entropy);
        Assert.InRange(frequentLow, low - 0.3f, low + 0.3f);
        Assert.InRange(frequentHigh, high - 0.3f, high + 0.3f);
        // Where what is frequent is the end, as after Clip, it is the end.
        Assert.Equal(2f, RangeEstimator.Estimate(Of([.. values.Select(v => Math.Clamp(v, 0, 2))]), RangeMethod.Entropy).High);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void No_range_that_is_tried_at_random_has_less_divergence(bool isOneSided)
    {
        var values = Normal(1_000_000, 11).Select(v => isOneSided ? Math.Abs(v) : v < 0 ? v * 2 : v).ToArray();
        var histogram = Of(values);
        var filled = histogram.NonEmpty().ToArray();
        var width = filled.Zip(filled.Skip(1), (a, b) => b.Value - a.Value).Min();
        var counts = filled.ToDictionary(b => (int)Math.Floor(b.Value / width), b => b.Count);
        var (low, high) = RangeEstimator.Estimate(histogram, RangeMethod.Entropy);
        var found = Divergence(counts, (int)Math.Round(-low / width), (int)Math.Round(high / width));
        var random = new Random(12);
        for (var trial = 0; trial < 500; trial++)
        {
            var (a, b) = (isOneSided ? 0 : random.Next(1, -counts.Keys.Min() + 1), random.Next(1, counts.Keys.Max() + 2));
            if (a + b >= 256)
                Assert.InRange(found, 0, Divergence(counts, a, b) * 1.02);
        }
    }

    /// <summary>The definition, bin by bin: what was seen in the range with the rest at its ends, against what 256 levels tell of it.</summary>
    private static double Divergence(Dictionary<int, long> all, int below, int above)
    {
        long Even(int bin) => bin is 0 or -1 ? all.GetValueOrDefault(bin)
            : Math.Min(all.GetValueOrDefault(bin), 4 * new[] { -2, -1, 1, 2 }.Max(i => all.GetValueOrDefault(bin + i)));
        var inside = Enumerable.Range(-below, below + above).ToDictionary(i => i, i => (double)Even(i));
        var reference = new Dictionary<int, double>(inside);
        reference[-below] += all.Where(b => b.Key < -below).Sum(b => b.Value);
        reference[above - 1] += all.Where(b => b.Key >= above).Sum(b => b.Value);
        var step = (below + above) / 255.0;
        var divergence = 0.0;
        foreach (var level in inside.Keys.GroupBy(i => Math.Floor((i + 0.5) / step + 0.5)))
        {
            var bins = level.Where(i => reference[i] > 0).ToList();
            var q = Math.Max(0.5, level.Sum(i => inside[i])) / Math.Max(1, bins.Count);
            divergence += bins.Sum(i => reference[i] * Math.Log(reference[i] / q) - reference[i] + q);
        }
        return divergence;
    }

    [SkippableTheory, Trait("Tier", "Ci")]
    [InlineData("kws_dscnn", "int8(percentile)")]
    [InlineData("kws_dscnn", "int8(entropy)")]
    [InlineData("own_mnist_cnn_bn", "int8(percentile)+weights-int8")]
    [InlineData("own_mnist_cnn_bn", "int8(entropy)+weights-int8")]
    public void A_recipe_by_name_ships_within_budget(string name, string recipe)
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var zoo = ZooModel.Open(name);
        var options = new CompressionOptions
        {
            Profiles = [BuiltInProfiles.Get("x64-avx512vnni")],
            CalibrationData = [zoo.Calibration],
            EvaluationData = [zoo.Evaluation],
            Technique = recipe,
            Measure = false,
        };
        using var compressor = new Compressor(ModelSource.Open(zoo.Model, options.Shapes), options, ["onnxruntime"], new byte[32], new TechniqueRegistry(),
            _ => { }, default);
        var chosen = compressor.Choose(options.Profiles[0]).Chosen.Candidate;
        Assert.Equal(recipe, chosen.Recipe);
        Assert.InRange(chosen.Artifact.Length, 1, (long)(new FileInfo(zoo.Model).Length * 0.6));
        Assert.InRange(chosen.Report!.Deciding.Loss, double.MinValue, compressor.Selection!.Budget);
    }
}
