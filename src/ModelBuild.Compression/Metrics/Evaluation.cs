using System.Globalization;
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
/// <param name="Samples">How many samples were judged: those about which there is something to compare.</param>
public sealed record MetricResult(string Metric, string Output, double Original, double Compressed, double Loss, double LossLow, double LossHigh, int Samples);

/// <summary>What a candidate loses on a part of the data.</summary>
/// <param name="Deciding">The deciding metric on the output where it is worst.</param>
/// <param name="All">Every metric on every output, the deciding ones first.</param>
public sealed record EvaluationResult(MetricResult Deciding, IReadOnlyList<MetricResult> All)
{
    /// <summary>Noise over signal up to which two answers differ by float rounding alone: 60 dB.</summary>
    private const double Rounding = 1e-6;

    /// <summary>Whether every output of floats equals the original's but for float rounding.</summary>
    public bool IsRounding => All.Where(r => r.Metric == Sqnr.MetricName).ToList() is { Count: > 0 } noise && noise.All(r => r.Loss <= Rounding);
}

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
    /// <exception cref="CompressionException">MDLB2010: the candidate gives other shapes than the original, or other integers where they mean
    /// themselves.</exception>
    public static EvaluationResult Run(ReferenceAnswers reference, IModelRunner candidate, MetricSelection selection, Action<int>? progress = null,
        CancellationToken cancellation = default)
    {
        var taken = selection.Outputs.Select(o => (selection.Deciding, Output: o)).Concat(selection.Reported).ToList();
        var statistics = taken.Select(t => new double[(long)reference.Data.Count * t.Item1.StatisticCount]).ToArray();
        // Outputs without a single element have nothing that could differ.
        var isEmpty = Enumerable.Repeat(true, taken.Count).ToArray();
        var classes = new ClassNumbers();
        for (var i = 0; i < reference.Data.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            var sample = reference.Data[i];
            var known = reference.Get(i, sample);
            var answer = candidate.Run(sample.Inputs);
            foreach (var output in taken.Select(t => t.Output).Concat(selection.Exact).Distinct(StringComparer.Ordinal))
                if (!answer.TryGetValue(output, out var got) || !got.Shape.AsSpan().SequenceEqual(known.Outputs[output].Shape.AsSpan()))
                    throw new CompressionException(Codes.OtherShapes,
                        $"the compressed model gives '{output}' the shape {got?.ToString() ?? "(none)"}, the original {known.Outputs[output]}");
            foreach (var output in selection.Exact)
                if (ExactComparison.FirstDifference(known.Outputs[output], answer[output]) is { } difference)
                    throw new CompressionException(Codes.OtherShapes,
                        string.Create(CultureInfo.InvariantCulture, $"the compressed model gives '{output}' {difference} for sample {i}"));
            for (var m = 0; m < taken.Count; m++)
            {
                var (metric, output) = taken[m];
                isEmpty[m] &= known.Outputs[output].Length == 0;
                Measure(metric, selection, known, output, answer[output], classes, statistics[m].AsSpan(i * metric.StatisticCount, metric.StatisticCount));
            }
            progress?.Invoke(i + 1);
        }
        var results = taken.Select((t, m) => Summarize(t.Item1, t.Output, statistics[m], reference.Data.Count, isEmpty[m])).ToList();
        var deciding = results.Take(selection.Outputs.Count).MaxBy(r => r.Loss)!;
        return new(deciding, results);
    }

    /// <summary>Takes a metric on one output of one sample.</summary>
    internal static void Measure(Metric metric, MetricSelection selection, ReferenceAnswer known, string output, Tensor got, ClassNumbers classes,
        Span<double> statistics)
    {
        var want = known.Outputs[output];
        var reading = selection.ReadingOf(output);
        var expected = selection.Against.Contains(output) ? known.Expected[output].Reshape(want.Shape.AsSpan()) : null;
        if (reading.Meaning is OutputMeaning.Classes or OutputMeaning.Exact)
        {
            var numbers = classes.Of(want);
            metric.Measure(new(expected is null ? numbers : classes.Of(expected), numbers, classes.Of(got), new(1, numbers.Length), []), statistics);
            return;
        }
        var shape = reading.Rows(want);
        var original = reading.Read(want);
        var compressed = reading.Read(got);
        var target = expected is null ? original : reading.Read(expected);
        if (metric.NeedsClasses && reading.Meaning == OutputMeaning.Probability)
        {
            target = ClassScores.OfProbabilities(target);
            original = ClassScores.OfProbabilities(original);
            compressed = ClassScores.OfProbabilities(compressed);
            shape = new(2, original.Length / 2);
        }
        ReadOnlySpan<long> labels = known.Labels is { } l ? l.Span<long>() : metric.NeedsLabels && expected is not null ? reading.ClassesOf(expected) : [];
        // Labels that are not one a row (a text) tell other metrics nothing about rows; where none counts, they are no padding either.
        var areRows = labels.Length == shape.Rows && labels.ContainsAnyInRange(0, long.MaxValue);
        metric.Measure(new(target, original, compressed, shape, metric.NeedsLabels || areRows ? labels : []), statistics);
    }

    private static MetricResult Summarize(Metric metric, string output, double[] statistics, int samples, bool isEmpty)
    {
        var width = metric.StatisticCount;
        Span<double> sums = stackalloc double[width];
        var judged = 0;
        for (var i = 0; i < samples; i++)
        {
            var own = statistics.AsSpan(i * width, width);
            judged += metric.Counted(own) > 0 ? 1 : 0;
            for (var s = 0; s < width; s++)
                sums[s] += own[s];
        }
        // What was not judged is within no budget.
        if (metric.Counted(sums) == 0)
            return isEmpty ? new(metric.Name, output, 0, 0, 0, 0, 0, 0)
                : new(metric.Name, output, double.NaN, double.NaN, double.PositiveInfinity, double.PositiveInfinity, double.PositiveInfinity, 0);
        var value = metric.Evaluate(sums);

        // Percentile bootstrap with a fixed seed, so that reports are reproducible.
        var losses = new List<double>(Resamples);
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
            if (metric.Counted(sums) > 0)
                losses.Add(Ordered(metric.Evaluate(sums).Loss));
        }
        losses.Sort();
        return new(metric.Name, output, value.Original, value.Compressed, Ordered(value.Loss), losses[(int)(losses.Count * 0.025)],
            losses[Math.Max(0, (int)(losses.Count * 0.975) - 1)], judged);
    }

    // A loss that is no number is within no budget; as NaN it would compare as less than any.
    private static double Ordered(double loss) => double.IsNaN(loss) ? double.PositiveInfinity : loss;
}
