namespace ModelBuild.Compression.Metrics;

/// <summary>
/// Signal to quantization noise ratio in decibels: power of the original's output over the power of the difference, both summed over all samples.
/// The loss is the inverse ratio, noise over signal: 0.01 is 20 dB.
/// </summary>
public sealed class Sqnr : Metric
{
    /// <summary>What a perfect copy is reported as, so that reports hold numbers.</summary>
    public const double Perfect = 200;

    /// <inheritdoc/>
    public override string Name => "sqnr";

    /// <inheritdoc/>
    public override double DefaultBudget => 0.01;

    /// <inheritdoc/>
    public override int StatisticCount => 2;

    /// <inheritdoc/>
    public override void Measure(ReadOnlySpan<float> reference, ReadOnlySpan<float> candidate, OutputShape shape, ReadOnlySpan<long> labels, Span<double> statistics)
    {
        double signal = 0, noise = 0;
        for (var i = 0; i < reference.Length; i++)
        {
            // Where the original itself is not finite, an equal value is no noise.
            if (!float.IsFinite(reference[i]))
            {
                if (!reference[i].Equals(candidate[i]))
                    noise = double.PositiveInfinity;
                continue;
            }
            double d = reference[i] - (double)candidate[i];
            signal += (double)reference[i] * reference[i];
            noise += d * d;
        }
        statistics[0] = signal;
        statistics[1] = double.IsNaN(noise) ? double.PositiveInfinity : noise;
    }

    /// <inheritdoc/>
    public override MetricValue Evaluate(ReadOnlySpan<double> sums)
    {
        var (signal, noise) = (sums[0], sums[1]);
        if (noise == 0)
            return new(Perfect, Perfect, 0);
        if (signal == 0 || double.IsInfinity(noise))
            return new(Perfect, -Perfect, double.PositiveInfinity);
        return new(Perfect, Math.Clamp(10 * Math.Log10(signal / noise), -Perfect, Perfect), noise / signal);
    }
}
