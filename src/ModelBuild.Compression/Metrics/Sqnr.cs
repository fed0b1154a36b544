namespace ModelBuild.Compression.Metrics;

/// <summary>
/// Signal to noise ratio in decibels: power of what the output should be over the power of the difference, both summed over all samples.
/// The loss is the inverse ratio, noise over signal: 0.01 is 20 dB. Where the data has expected values, the loss is what the candidate adds to the original's
/// noise.
/// </summary>
public sealed class Sqnr : Metric
{
    /// <summary>What a perfect copy is reported as, so that reports hold numbers.</summary>
    public const double Perfect = 200;

    /// <inheritdoc/>
    public override string Name => MetricName;

    /// <summary>The name.</summary>
    public const string MetricName = "sqnr";

    /// <inheritdoc/>
    public override double DefaultBudget => 0.01;

    /// <inheritdoc/>
    public override int StatisticCount => 4;

    /// <inheritdoc/>
    public override void Measure(in JudgedAnswer answer, Span<double> statistics)
    {
        var sums = Distance.Of(answer);
        (statistics[0], statistics[1], statistics[2], statistics[3]) = (sums.Count, sums.Power, sums.Original, sums.Compressed);
    }

    /// <inheritdoc/>
    public override MetricValue Evaluate(ReadOnlySpan<double> sums)
    {
        var (signal, original, compressed) = (sums[1], sums[2], sums[3]);
        // Noise without bounds is within no budget, however noisy the original is itself.
        var loss = double.IsInfinity(compressed) ? double.PositiveInfinity : compressed == original ? 0 : (compressed - original) / signal;
        return new(Decibels(signal, original), Decibels(signal, compressed), loss);
    }

    private static double Decibels(double signal, double noise) => noise == 0 ? Perfect : Math.Clamp(10 * Math.Log10(signal / noise), -Perfect, Perfect);
}
