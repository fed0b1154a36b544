using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Metrics;

/// <summary>One metric taken on one output over a part of the data.</summary>
/// <param name="Metric">The metric's name.</param>
/// <param name="Output">The output's name.</param>
/// <param name="Original">The original's value.</param>
/// <param name="Compressed">The candidate's value.</param>
/// <param name="Loss">The loss.</param>
/// <param name="LossLow">Lower end of the loss's 95 % interval (paired: the samples are resampled).</param>
/// <param name="LossHigh">Upper end of the interval.</param>
/// <param name="Samples">How many samples were judged.</param>
public sealed record MetricResult(string Metric, string Output, double Original, double Compressed, double Loss, double LossLow, double LossHigh, int Samples);

/// <summary>What a candidate loses on a part of the data.</summary>
/// <param name="Deciding">The deciding metric on the output where it is worst.</param>
/// <param name="All">Every metric on every output, the deciding ones first.</param>
public sealed record EvaluationResult(MetricResult Deciding, IReadOnlyList<MetricResult> All);

/// <summary>Compares a candidate with the original on data, sample by sample: nothing is kept but a few sums for each sample.</summary>
public static class Evaluation
{
    private const int Resamples = 200;

    /// <summary>Runs candidate and original side by side.</summary>
    /// <param name="reference">The original's answers.</param>
    /// <param name="candidate">The candidate.</param>
    /// <param name="selection">The metrics.</param>
    /// <param name="progress">Called with the number of samples done.</param>
    /// <param name="cancellation">Stops the run.</param>
    public static EvaluationResult Run(ReferenceAnswers reference, IModelRunner candidate, MetricSelection selection, Action<int>? progress = null, CancellationToken cancellation = default)
    {
        var taken = selection.Outputs.Select(o => (selection.Deciding, Output: o)).Concat(selection.Reported).ToList();
        var statistics = taken.Select(t => new double[(long)reference.Data.Count * t.Item1.StatisticCount]).ToArray();
        for (var i = 0; i < reference.Data.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            var sample = reference.Data[i];
            var expected = reference[i];
            var answer = candidate.Run(sample.Inputs);
            var labels = sample.Labels is { } l ? FloatValues.Integers(l) : [];
            for (var m = 0; m < taken.Count; m++)
            {
                var (metric, output) = taken[m];
                var slot = statistics[m].AsSpan(i * metric.StatisticCount, metric.StatisticCount);
                var want = expected[output];
                if (!answer.TryGetValue(output, out var got) || !got.Shape.AsSpan().SequenceEqual(want.Shape.AsSpan()))
                    throw new CompressionException("MDLB2010", $"the compressed model gives '{output}' the shape {got?.ToString() ?? "(none)"}, the original {want}");
                var shape = OutputShape.Of(want);
                ReadOnlySpan<float> original = FloatValues.Of(want), compressed = FloatValues.Of(got);
                if (metric.NeedsClasses && selection.Probabilities.Contains(output))
                {
                    original = ClassScores.OfProbabilities(original);
                    compressed = ClassScores.OfProbabilities(compressed);
                    shape = new(2, original.Length / 2);
                }
                // Labels that are not one a row (a text) tell other metrics nothing about rows.
                metric.Measure(original, compressed, shape, metric.NeedsLabels || labels.Length == shape.Rows ? labels : [], slot);
            }
            progress?.Invoke(i + 1);
        }
        var results = taken.Select((t, m) => Summarize(t.Item1, t.Output, statistics[m], reference.Data.Count)).ToList();
        var deciding = results.Take(selection.Outputs.Count).MaxBy(r => r.Loss)!;
        return new(deciding, results);
    }

    private static MetricResult Summarize(Metric metric, string output, double[] statistics, int samples)
    {
        var width = metric.StatisticCount;
        Span<double> sums = stackalloc double[width];
        for (var i = 0; i < statistics.Length; i++)
            sums[i % width] += statistics[i];
        var value = metric.Evaluate(sums);

        // Percentile bootstrap with a fixed seed, so that reports are reproducible.
        var losses = new double[Resamples];
        var state = 0x853C49E6748FEA9BUL;
        for (var r = 0; r < Resamples; r++)
        {
            sums.Clear();
            for (var n = 0; n < samples; n++)
            {
                state = state * 6364136223846793005UL + 1442695040888963407UL;
                var pick = (int)((state >> 33) % (ulong)samples);
                for (var s = 0; s < width; s++)
                    sums[s] += statistics[pick * width + s];
            }
            losses[r] = Ordered(metric.Evaluate(sums).Loss);
        }
        Array.Sort(losses);
        return new(metric.Name, output, value.Original, value.Compressed, Ordered(value.Loss), losses[(int)(Resamples * 0.025)], losses[(int)(Resamples * 0.975) - 1], samples);
    }

    // A loss that is no number is within no budget; as NaN it would compare as less than any.
    private static double Ordered(double loss) => double.IsNaN(loss) ? double.PositiveInfinity : loss;
}
