using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Onnx;

namespace ModelBuild.Compiler.Measuring;

/// <summary>
/// Measures this CPU class's cost table: models of one operator in several sizes, one thread, then the figures of
/// <see cref="OperatorCost"/> by least squares of the relative error.
/// </summary>
internal static class CostMeasurement
{
    private const int Rounds = 15;

    public static CostTable Run(Action<string> progress, CancellationToken cancellation)
    {
        OnnxRuntimeBackend.Register();
        var costs = new SortedDictionary<string, OperatorCost>(StringComparer.Ordinal);
        // A node costs something by itself, which a model of one node cannot tell from what the call costs.
        const int Length = 20;
        var chains = Time([OperatorSample.Chain(1), OperatorSample.Chain(1 + Length)], cancellation);
        var node = (chains[1] - chains[0]) / Length;
        var call = chains[0] - node;
        costs.Add($"{OnnxRuntimeBackend.BackendName}/call/any", new(Math.Round(call, 1), 0));
        costs.Add($"{OnnxRuntimeBackend.BackendName}/view/any", new(Math.Round(node, 1), 0));
        foreach (var (key, samples) in OperatorSamples.All())
        {
            progress($"measuring {key}");
            var times = Time(samples, cancellation);
            costs.Add($"{OnnxRuntimeBackend.BackendName}/{key}", Fit([.. samples.Select((s, i) => (s.Work, Math.Max(1, times[i] - call)))]));
        }
        foreach (var (key, cost) in ManagedMeasurement.Run(progress, cancellation))
            costs.Add(key, cost);
        var planning = costs.Where(c => c.Key.StartsWith(OnnxRuntimeBackend.BackendName, StringComparison.Ordinal)).ToDictionary();
        // What is not measured by itself is as in the table that ships, at this machine's pace; whole models fit it afterwards (benchmarks -- costs --fit).
        var shipped = CostTable.Load("avx512vnni");
        var pace = Interleaved.Median(planning.Where(c => c.Value.PerUnit > 0 && shipped.Planning.TryGetValue(c.Key, out var s) && s.PerUnit > 0)
            .Select(c => c.Value.PerUnit / shipped.Planning[c.Key].PerUnit));
        foreach (var (key, c) in shipped.Costs)
            costs.TryAdd(key, new(c.Overhead * pace, c.PerUnit * pace, c.PerOutput * pace, c.PerGathered * pace, c.PerWeight * pace));
        return new()
        {
            Version = 1,
            CpuClass = CpuFeatureDetection.Class,
            Kind = "measured",
            Source = "modelbuild profiles --measure, one pinned thread, ONNX Runtime 1.31.1",
            Costs = costs,
            Planning = new(planning, StringComparer.Ordinal),
        };
    }

    private static double[] Time(IReadOnlyList<OperatorSample> samples, CancellationToken cancellation)
    {
        var times = new double[samples.Count];
        for (var i = 0; i < samples.Count; i++)
        {
            using var subject = PreparedModel.Open(OnnxWriter.ToBytes(samples[i].Model), DescriptionBuilder.Of(samples[i].Model.Graph),
                BackendRegistry.Find(OnnxRuntimeBackend.BackendName)!);
            times[i] = Interleaved.Median(Interleaved.Measure([subject.Call], Rounds, cancellation)[0]);
        }
        return times;
    }

    /// <summary>Overhead and slopes with the least sum of squared relative errors, none below 0 (coordinate descent).</summary>
    internal static OperatorCost Fit(IReadOnlyList<(OperatorWork Work, double Time)> points)
    {
        double[][] rows = [.. points.Select(p => new[] { 1 / p.Time, p.Work.Units / p.Time, p.Work.Outputs / p.Time, p.Work.Gathered / p.Time })];
        var x = new double[4];
        for (var round = 0; round < 20000; round++)
            for (var j = 0; j < x.Length; j++)
            {
                double up = 0, down = 0;
                foreach (var row in rows)
                {
                    var rest = 1.0;
                    for (var k = 0; k < x.Length; k++)
                        if (k != j)
                            rest -= row[k] * x[k];
                    up += row[j] * rest;
                    down += row[j] * row[j];
                }
                x[j] = down == 0 ? 0 : Math.Max(0, up / down);
            }
        return new(Math.Round(x[0], 1), Math.Round(x[1], 6), Math.Round(x[2], 5), Math.Round(x[3], 5));
    }
}
