namespace ModelBuild.Compression.Data;

/// <summary>The three disjoint parts of the data: to calibrate (and train), to choose, to report.</summary>
/// <param name="Calibrate">Feeds calibration and training. May be empty.</param>
/// <param name="Choose">Candidates are ranked on it. May be empty.</param>
/// <param name="Report">The chosen candidate is judged on it, and only it. May be empty.</param>
/// <param name="Description">How the parts were made, for the report.</param>
public sealed record DataSplit(Dataset? Calibrate, Dataset? Choose, Dataset? Report, string Description)
{
    /// <summary>Splits what the user gave. The parts depend on the number of samples alone, not on their values.</summary>
    /// <param name="calibration">Calibration data, or null.</param>
    /// <param name="evaluation">Evaluation data, or null.</param>
    public static DataSplit Of(Dataset? calibration, Dataset? evaluation)
    {
        if (evaluation is not null)
        {
            var (choose, report) = Halve(evaluation, [.. Shuffled(evaluation.Count)]);
            return new(calibration, choose, report,
                $"calibrate: {(calibration is null ? "none" : $"all {calibration.Count} samples of CalibrationData")}; choose: {choose.Count} and report: "
                    + $"{report?.Count ?? 0} samples of EvaluationData");
        }
        if (calibration is null)
            return new(null, null, null, "no data");
        if (calibration.Count < 3)
            return new(calibration, null, null, $"calibrate: {calibration.Count} samples of CalibrationData; too few to hold any out");
        var order = Shuffled(calibration.Count).ToArray();
        var held = Math.Max(2, calibration.Count / 2);
        var (c, r) = Halve(calibration, order[..held]);
        var rest = order[held..];
        Array.Sort(rest);
        return new(calibration.Subset(rest), c, r, $"CalibrationData split: calibrate {rest.Length}, choose {c.Count}, report {r?.Count ?? 0} samples");
    }

    private static (Dataset First, Dataset? Second) Halve(Dataset data, int[] order)
    {
        // The parts are disjoint: one sample can choose but not also report.
        if (order.Length == 1)
            return (data.Subset(order), null);
        var first = order[..(order.Length / 2)];
        var second = order[(order.Length / 2)..];
        Array.Sort(first);
        Array.Sort(second);
        return (data.Subset(first), data.Subset(second));
    }

    /// <summary>A fixed permutation: files are often sorted by class, so that cutting them in the middle would be no fair split.</summary>
    private static IEnumerable<int> Shuffled(int count)
    {
        var order = Enumerable.Range(0, count).ToArray();
        // SplitMix64, seeded by the count: the same on every machine and runtime.
        var state = 0x9E3779B97F4A7C15UL ^ (ulong)count;
        for (var i = count - 1; i > 0; i--)
        {
            state += 0x9E3779B97F4A7C15UL;
            var z = state;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
            z ^= z >> 31;
            var j = (int)(z % (ulong)(i + 1));
            (order[i], order[j]) = (order[j], order[i]);
        }
        return order;
    }
}
