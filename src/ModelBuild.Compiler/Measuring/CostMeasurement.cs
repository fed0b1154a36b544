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
        foreach (var (key, samples) in Samples())
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
        var pace = Interleaved.Median(planning.Where(c => c.Value.PerUnit > 0 && shipped.Planning.TryGetValue(c.Key, out var s) && s.PerUnit > 0).Select(c => c.Value.PerUnit / shipped.Planning[c.Key].PerUnit));
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

    private static IEnumerable<(string Key, IReadOnlyList<OperatorSample> Samples)> Samples()
    {
        foreach (var integer in new[] { false, true })
        {
            var precision = integer ? Precisions.Int8 : Precisions.Float32;
            yield return ($"conv/{precision}", [
                OperatorSample.Conv(16, 32, 32, 16, 3, false, integer), OperatorSample.Conv(32, 28, 28, 32, 3, false, integer), OperatorSample.Conv(64, 14, 14, 64, 3, false, integer),
                OperatorSample.Conv(64, 7, 7, 64, 3, false, integer), OperatorSample.Conv(16, 60, 80, 32, 3, false, integer), OperatorSample.Conv(8, 14, 14, 16, 5, false, integer),
                OperatorSample.Conv(3, 48, 48, 8, 3, false, integer), OperatorSample.Conv(1, 28, 28, 16, 3, false, integer), OperatorSample.Conv(3, 112, 112, 32, 3, false, integer),
                OperatorSample.Conv(3, 112, 112, 8, 3, false, integer), OperatorSample.Conv(8, 28, 28, 8, 5, false, integer), OperatorSample.Conv(16, 56, 56, 16, 3, false, integer),
                OperatorSample.Conv(32, 14, 14, 128, 3, false, integer), OperatorSample.Conv(1, 28, 28, 8, 5, false, integer)]);
            yield return ($"pointwise/{precision}", [
                OperatorSample.Conv(64, 25, 5, 64, 1, false, integer), OperatorSample.Conv(32, 56, 56, 64, 1, false, integer), OperatorSample.Conv(128, 14, 14, 128, 1, false, integer),
                OperatorSample.Conv(256, 7, 7, 256, 1, false, integer), OperatorSample.Conv(16, 28, 28, 32, 1, false, integer), OperatorSample.Conv(64, 30, 40, 64, 1, false, integer),
                OperatorSample.Conv(8, 48, 48, 16, 1, false, integer), OperatorSample.Conv(256, 3, 3, 256, 1, false, integer), OperatorSample.Conv(64, 30, 40, 12, 1, false, integer)]);
            yield return ($"depthwise/{precision}", [
                OperatorSample.Conv(64, 25, 5, 64, 3, true, integer), OperatorSample.Conv(32, 56, 56, 32, 3, true, integer), OperatorSample.Conv(128, 28, 28, 128, 3, true, integer),
                OperatorSample.Conv(256, 14, 14, 256, 3, true, integer), OperatorSample.Conv(16, 14, 14, 16, 3, true, integer), OperatorSample.Conv(8, 48, 48, 8, 3, true, integer),
                OperatorSample.Conv(256, 3, 3, 256, 3, true, integer), OperatorSample.Conv(64, 6, 6, 64, 3, true, integer), OperatorSample.Conv(8, 112, 112, 8, 3, true, integer),
                OperatorSample.Conv(16, 56, 56, 16, 3, true, integer), OperatorSample.Conv(32, 28, 28, 32, 5, true, integer), OperatorSample.Conv(512, 7, 7, 512, 3, true, integer)]);
            yield return ($"gemm/{precision}", [
                OperatorSample.Gemm(1, 784, 256, integer), OperatorSample.Gemm(1, 256, 128, integer), OperatorSample.Gemm(1, 128, 10, integer),
                OperatorSample.Gemm(1, 640, 128, integer), OperatorSample.Gemm(1, 128, 128, integer), OperatorSample.Gemm(16, 256, 256, integer),
                OperatorSample.Gemm(50, 64, 64, integer), OperatorSample.Gemm(50, 64, 128, integer), OperatorSample.Gemm(128, 384, 384, integer)]);
            yield return ($"elementwise/{precision}", [
                OperatorSample.Add(16, 32, 32, integer), OperatorSample.Add(64, 8, 8, integer), OperatorSample.Add(64, 56, 56, integer)]);
            yield return ($"windowpool/{precision}", [OperatorSample.WindowPool(16, 24, 24, integer), OperatorSample.WindowPool(64, 56, 56, integer), OperatorSample.WindowPool(128, 28, 28, integer)]);
            yield return ($"pool/{precision}", [OperatorSample.Pool(64, 8, 8, integer), OperatorSample.Pool(256, 7, 7, integer), OperatorSample.Pool(64, 28, 28, integer)]);
        }
        yield return ($"gemm/{Precisions.DynamicInt8}", [
            OperatorSample.DynamicGemm(1, 784, 256), OperatorSample.DynamicGemm(1, 256, 128), OperatorSample.DynamicGemm(1, 128, 10),
            OperatorSample.DynamicGemm(1, 640, 128), OperatorSample.DynamicGemm(1, 128, 128), OperatorSample.DynamicGemm(16, 256, 256),
            OperatorSample.DynamicGemm(50, 64, 64), OperatorSample.DynamicGemm(50, 64, 128), OperatorSample.DynamicGemm(128, 384, 384)]);
        foreach (var dynamic in new[] { false, true })
            yield return ($"recurrent/{(dynamic ? Precisions.DynamicInt8 : Precisions.Float32)}", [
                OperatorSample.Lstm(28, 28, 96, dynamic), OperatorSample.Lstm(50, 64, 64, dynamic), OperatorSample.Lstm(1, 128, 128, dynamic), OperatorSample.Lstm(60, 6, 96, dynamic)]);
        yield return ("transcendental/float32", [OperatorSample.Unary("Sigmoid", 1, 1, 10), OperatorSample.Unary("Sigmoid", 16, 32, 32), OperatorSample.Unary("Softmax", 1, 64, 64), OperatorSample.Unary("Softmax", 1, 1, 1000)]);
        yield return ("move/any", [
            OperatorSample.Unary("Transpose", 3, 224, 224, n => n.Attributes["perm"] = new long[] { 0, 2, 3, 1 }), OperatorSample.Unary("Transpose", 64, 14, 14, n => n.Attributes["perm"] = new long[] { 0, 2, 3, 1 }),
            OperatorSample.Unary("Transpose", 1, 49, 10, n => n.Attributes["perm"] = new long[] { 0, 2, 3, 1 })]);
        yield return ("quantize/any", [OperatorSample.Conversion(true, 784), OperatorSample.Conversion(true, 16384), OperatorSample.Conversion(true, 150528)]);
        yield return ("dequantize/any", [OperatorSample.Conversion(false, 10), OperatorSample.Conversion(false, 16384), OperatorSample.Conversion(false, 150528)]);
    }

    private static double[] Time(IReadOnlyList<OperatorSample> samples, CancellationToken cancellation)
    {
        var times = new double[samples.Count];
        for (var i = 0; i < samples.Count; i++)
        {
            using var subject = PreparedModel.Open(OnnxWriter.ToBytes(samples[i].Model), DescriptionBuilder.Of(samples[i].Model.Graph), BackendRegistry.Find(OnnxRuntimeBackend.BackendName)!);
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
