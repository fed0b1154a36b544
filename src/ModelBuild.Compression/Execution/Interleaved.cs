using System.Diagnostics;

namespace ModelBuild.Compression.Execution;

/// <summary>
/// Times several actions against each other: in every round each runs once for about the same time, in turn, so that whatever else the machine does
/// falls on all of them. Medians over the rounds.
/// </summary>
public static class Interleaved
{
    private const double SliceNanoseconds = 4e6;

    /// <summary>Measures actions.</summary>
    /// <param name="actions">The actions.</param>
    /// <param name="rounds">How many rounds.</param>
    /// <param name="cancellation">Stops the run.</param>
    /// <param name="warmUp">Milliseconds that each action runs before it is timed, and at least five times: until tiered compilation and caches have
    /// settled.</param>
    /// <param name="limit">Milliseconds after which no further round begins, once there are three.</param>
    /// <returns>For each action the nanoseconds of one call in each round.</returns>
    public static IReadOnlyList<IReadOnlyList<double>> Measure(IReadOnlyList<Action> actions, int rounds, CancellationToken cancellation, int warmUp = 200,
        double limit = double.PositiveInfinity)
    {
        var calls = new int[actions.Count];
        var clock = Stopwatch.StartNew();
        for (var a = 0; a < actions.Count; a++)
        {
            var warm = Stopwatch.StartNew();
            var n = 0;
            // Where a single call takes longer than the limit, one will do.
            while (warm.ElapsedMilliseconds < warmUp || n < 5 && warm.ElapsedMilliseconds < limit)
            {
                cancellation.ThrowIfCancellationRequested();
                actions[a]();
                n++;
            }
            calls[a] = (int)Math.Clamp(SliceNanoseconds / (warm.Elapsed.TotalNanoseconds / n), 1, 1_000_000);
        }
        var times = actions.Select(_ => new List<double>()).ToArray();
        for (var r = 0; r < rounds && (r < 3 || clock.ElapsedMilliseconds < limit); r++)
            for (var i = 0; i < actions.Count; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                // The order turns from round to round: whoever comes first after a change of caches is not always the same.
                var a = (i + r) % actions.Count;
                var start = Stopwatch.GetTimestamp();
                for (var n = 0; n < calls[a]; n++)
                    actions[a]();
                times[a].Add(Stopwatch.GetElapsedTime(start).TotalNanoseconds / calls[a]);
            }
        return times;
    }

    /// <summary>The median.</summary>
    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length == 0 ? double.NaN : sorted.Length % 2 == 1 ? sorted[sorted.Length / 2]
            : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }
}
