using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Planning;
using ModelBuild.Managed;
using ModelBuild.Onnx;

namespace ModelBuild.Compiler.Measuring;

/// <summary>Measures the managed backend's costs: the same samples as for ONNX Runtime, lowered.</summary>
internal static class ManagedMeasurement
{
    private const int Rounds = 15;

    public static IEnumerable<(string Key, OperatorCost Cost)> Run(Action<string> progress, CancellationToken cancellation)
    {
        var call = Time([OperatorSample.Unary("Relu", 1, 1, 1)], cancellation)[0];
        yield return ($"{ManagedBackend.BackendName}/call/any", new(Math.Round(call, 1), 0));
        foreach (var (key, samples) in Samples())
        {
            progress($"measuring {ManagedBackend.BackendName}/{key}");
            var times = Time(samples, cancellation);
            yield return ($"{ManagedBackend.BackendName}/{key}",
                CostMeasurement.Fit([.. samples.Select((s, i) => (new OperatorWork(s.Work.Units), Math.Max(1, times[i] - call)))]));
        }
    }

    private static IEnumerable<(string Key, IReadOnlyList<OperatorSample> Samples)> Samples()
    {
        (int K, int N)[] sizes = [(784, 256), (256, 128), (128, 10), (640, 128), (128, 128), (42, 20)];
        yield return ("gemm/float32", [.. sizes.Select(s => OperatorSample.Gemm(1, s.K, s.N, false))]);
        yield return ($"gemm/{Precisions.Int8}", [.. sizes.Select(s => OperatorSample.Gemm(1, s.K, s.N, true))]);
        yield return ($"gemm/{Precisions.DynamicInt8}", [.. sizes.Select(s => OperatorSample.DynamicGemm(1, s.K, s.N))]);
        yield return ("elementwise/float32",
            [OperatorSample.Unary("Relu", 1, 1, 100), OperatorSample.Unary("Relu", 1, 1, 1000), OperatorSample.Unary("Relu", 1, 100, 100)]);
        yield return ("transcendental/float32", [OperatorSample.Unary("Softmax", 1, 1, 3), OperatorSample.Unary("Softmax", 1, 1, 100),
            OperatorSample.Unary("Softmax", 1, 1, 1000)]);
    }

    private static double[] Time(IReadOnlyList<OperatorSample> samples, CancellationToken cancellation)
    {
        var times = new double[samples.Count];
        var hash = new byte[32];
        for (var i = 0; i < samples.Count; i++)
        {
            var model = samples[i].Model;
            ShapeInference.Run(model);
            if (!ManagedLowering.TryLower(model, hash, ManagedLowering.Choose(model, null), out var artifact, out var why))
                throw new InvalidOperationException($"a sample is not lowered: {why}");
            using var subject = PreparedModel.Open(artifact, DescriptionBuilder.Of(model.Graph, hash), BackendRegistry.Find(ManagedBackend.BackendName)!);
            times[i] = Interleaved.Median(Interleaved.Measure([subject.Call], Rounds, cancellation)[0]);
        }
        return times;
    }
}
