using ModelBuild.Compression.Metrics;

namespace ModelBuild.Compression.Tests.Metrics;

public class MetricTests
{
    private static MetricValue Take(Metric metric, float[] reference, float[] candidate, int classes, long[]? labels = null)
    {
        var statistics = new double[metric.StatisticCount];
        metric.Measure(new(reference, reference, candidate, new(classes, reference.Length / classes), labels ?? []), statistics);
        return metric.Evaluate(statistics);
    }

    [Fact]
    public void Top1_counts_hits_as_a_fraction_of_the_original()
    {
        // Four rows; the original hits three, the candidate two; the last label means nothing.
        float[] reference = [1, 0, 1, 0, 0, 1, 1, 0, 9, 0];
        float[] candidate = [1, 0, 0, 1, 0, 1, 1, 0, 0, 9];
        var value = Take(MetricCatalog.Get("top1"), reference, candidate, 2, [0, 0, 1, 1, -1]);
        Assert.Equal(0.75, value.Original);
        Assert.Equal(0.5, value.Compressed);
        Assert.Equal(1.0 / 3, value.Loss, 12);
    }

    [Fact]
    public void Equal_scores_count_for_the_lower_class_as_arg_max_does()
    {
        Assert.Equal(1, Take(MetricCatalog.Get("top1"), [5, 5], [5, 5], 2, [0]).Compressed);
        Assert.Equal(0, Take(MetricCatalog.Get("top1"), [5, 5], [5, 5], 2, [1]).Compressed);
    }

    [Fact]
    public void Top5_looks_at_five()
    {
        float[] scores = [9, 8, 7, 6, 5, 4];
        Assert.Equal(1, Take(MetricCatalog.Get("top5"), scores, scores, 6, [4]).Compressed);
        Assert.Equal(0, Take(MetricCatalog.Get("top5"), scores, scores, 6, [5]).Compressed);
    }

    [Fact]
    public void Regret_of_logits_is_the_softmax_difference_under_the_original()
    {
        // Softmax of (ln 6, ln 3, ln 1) is 0.6, 0.3, 0.1; the candidate takes the second.
        float[] reference = [MathF.Log(6), MathF.Log(3), 0];
        Assert.Equal(0.3, Take(MetricCatalog.Get("regret"), reference, [0, 1, 0], 3).Loss, 6);
        Assert.Equal(0, Take(MetricCatalog.Get("regret"), reference, [3, 1, 0], 3).Loss);
    }

    [Fact]
    public void Regret_of_probabilities_takes_them_as_they_are() =>
        Assert.Equal(0.5, Take(MetricCatalog.Get("regret"), [0.7f, 0.2f, 0.1f], [0, 1, 0], 3).Loss, 6);

    [Fact]
    public void Regret_of_not_a_number_is_the_whole() =>
        Assert.Equal(1, Take(MetricCatalog.Get("regret"), [0.7f, 0.3f], [float.NaN, 0], 2).Loss);

    [Fact]
    public void Agreement_counts_changed_decisions() =>
        Assert.Equal(0.5, Take(MetricCatalog.Get("agreement"), [1, 0, 1, 0], [1, 0, 0, 1], 2).Loss);

    [Fact]
    public void Sqnr_is_noise_over_signal()
    {
        var value = Take(MetricCatalog.Get("sqnr"), [3, 4], [3, 3.5f], 2);
        Assert.Equal(0.25 / 25, value.Loss, 12);
        Assert.Equal(20, value.Compressed, 6);
        Assert.Equal(0, Take(MetricCatalog.Get("sqnr"), [3, 4], [3, 4], 2).Loss);
        Assert.Equal(double.PositiveInfinity, Take(MetricCatalog.Get("sqnr"), [3, 4], [float.NaN, 4], 2).Loss);
    }

    [Fact]
    public void Cosine_ignores_length_and_sees_direction()
    {
        Assert.Equal(0, Take(MetricCatalog.Get("cosine"), [1, 2], [2, 4], 2).Loss, 9);
        Assert.Equal(1, Take(MetricCatalog.Get("cosine"), [1, 0], [0, 1], 2).Loss, 9);
        Assert.Equal(1, Take(MetricCatalog.Get("cosine"), [1, 0], [float.NaN, 1], 2).Loss, 9);
        Assert.Equal(1, Take(MetricCatalog.Get("cosine"), [1, 0], [float.PositiveInfinity, 1], 2).Loss, 9);
    }

    [Fact]
    public void Rmse_is_relative_to_the_spread_of_the_original() =>
        // Spread of (0, 2) is 1; the differences are 0.1 each.
        Assert.Equal(0.1, Take(MetricCatalog.Get("rmse"), [0, 2], [0.1f, 1.9f], 2).Loss, 6);

    [Fact]
    public void F1_of_two_classes_is_that_of_class_1()
    {
        // Labels 1 1 1 0 0. The original answers 1 1 0 1 0: 2 hits, 3 answers, 3 labels; the candidate 1 0 0 1 0: 1 hit, 2 answers.
        float[] reference = [0, 1, 0, 1, 1, 0, 0, 1, 1, 0];
        float[] candidate = [0, 1, 1, 0, 1, 0, 0, 1, 1, 0];
        var value = Take(MetricCatalog.Get("f1").Of(2), reference, candidate, 2, [1, 1, 1, 0, 0]);
        Assert.Equal(2.0 * 2 / 6, value.Original, 12);
        Assert.Equal(2.0 * 1 / 5, value.Compressed, 12);
        Assert.Equal((2.0 / 3 - 0.4) / (2.0 / 3), value.Loss, 12);
    }

    [Fact]
    public void F1_of_more_classes_is_the_mean_over_those_that_occur()
    {
        // Labels 0 1 3; answers 0 3 3 of four classes. Class 0: 1. Class 1: 0. Class 3: 2 * 1 / (1 + 2). Class 2 does not occur.
        float[] scores = [1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1];
        Assert.Equal((1 + 0 + 2.0 / 3) / 3, Take(MetricCatalog.Get("f1").Of(4), scores, scores, 4, [0, 1, 3]).Compressed, 12);
    }

    [Fact]
    public void Cer_counts_edits_of_what_ctc_reads()
    {
        // Best classes: blank 1 1 blank 1 2 reads as 1 1 2; the candidate's: blank 1 1 1 1 3 as 1 3.
        static float[] Steps(params int[] classes) => [.. classes.SelectMany(c => Enumerable.Range(0, 4).Select(i => i == c ? 1f : 0f))];
        var value = Take(MetricCatalog.Get("cer"), Steps(0, 1, 1, 0, 1, 2), Steps(0, 1, 1, 1, 1, 3), 4, [1, 1, 2, -1, -1]);
        Assert.Equal(0, value.Original);
        Assert.Equal(2.0 / 3, value.Compressed, 12);
        Assert.Equal(2.0 / 3, value.Loss, 12);
    }

    [Fact]
    public void A_misspelt_metric_gets_a_suggestion() =>
        Assert.Contains("did you mean 'sqnr'", Assert.Throws<CompressionException>(() => MetricCatalog.Get("snqr")).Message);
}
