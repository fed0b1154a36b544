using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Metrics;

namespace ModelBuild.Compression.Planning;

/// <summary>
/// Runs what a step thinks of against the original, on the calibration part: for choices that go by what the answers bear. The parts that choose and report are
/// not looked at, so that these still prove what comes of it.
/// </summary>
/// <param name="original">Runs the original.</param>
/// <param name="data">The calibration part.</param>
/// <param name="selection">How answers are judged, with the budget.</param>
/// <param name="cancellation">Stops a run.</param>
public sealed class Trials(IModelRunner original, Dataset data, MetricSelection selection, CancellationToken cancellation = default)
{
    private readonly MetricSelection _selection = OfCalibration(selection);
    private readonly Dictionary<string, ReferenceAnswers> _answers = new(StringComparer.Ordinal);

    /// <summary>How many samples there are.</summary>
    public int Samples => data.Count;

    /// <summary>Some of the samples, spread evenly.</summary>
    internal static int[] Spread(IReadOnlyList<int> samples, int count) => samples.Count <= count ? [.. samples]
        : [.. Enumerable.Range(0, count).Select(i => samples[(int)((long)i * samples.Count / count)])];

    /// <summary>Runs a candidate on some of the samples.</summary>
    /// <param name="candidate">The candidate.</param>
    /// <param name="samples">Their numbers in the data.</param>
    public TrialResult Run(IModelRunner candidate, IReadOnlyList<int> samples)
    {
        var key = string.Join(',', samples);
        if (!_answers.TryGetValue(key, out var answers))
            _answers.Add(key, answers = new(original, data.Subset(samples), _selection.Judged));
        try
        {
            var result = Evaluation.Run(answers, candidate, _selection, cancellation: cancellation);
            var noise = result.All.Where(static r => r.Metric == Sqnr.MetricName).ToList();
            var most = noise.Where(r => _selection.Outputs.Contains(r.Output)).Select(static r => r.Loss).DefaultIfEmpty(0).Max();
            return new(result.Deciding.Loss / _selection.Budget, most / _selection.Budget, _selection.Deciding is Regret,
                noise.Count > 0 ? [.. noise.Select(static r => r.Loss)] : [result.Deciding.Loss]);
        }
        catch (CompressionException e) when (e.Code == Codes.OtherShapes)
        {
            // Other integers, or as many boxes as pass a threshold: more than any budget bears.
            return new(double.PositiveInfinity, double.PositiveInfinity, false, [double.PositiveInfinity]);
        }
    }

    /// <summary>Calibration data need have no labels and no expected values: decisions are compared with the original's own.</summary>
    private static MetricSelection OfCalibration(MetricSelection selection)
    {
        var deciding = selection.Deciding.NeedsLabels ? MetricCatalog.Get("regret") : selection.Against.Count > 0 ? MetricCatalog.Get(Sqnr.MetricName)
            : selection.Deciding;
        return selection with
        {
            Deciding = deciding,
            Against = new HashSet<string>(),
            Reported = [.. selection.Reported.Where(r => r.Metric.Name == Sqnr.MetricName && deciding.Name != Sqnr.MetricName)],
        };
    }
}

/// <summary>What a trial came to.</summary>
/// <param name="Share">The loss as a share of the budget.</param>
/// <param name="NoiseShare">The noise of the outputs that are judged, as a share of the same number; of several outputs the largest.</param>
/// <param name="IsRegret">Whether decisions are judged by what they cost.</param>
/// <param name="Noise">Noise power over signal power of each output.</param>
public sealed record TrialResult(double Share, double NoiseShare, bool IsRegret, IReadOnlyList<double> Noise);
