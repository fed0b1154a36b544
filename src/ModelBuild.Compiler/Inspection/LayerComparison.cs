using ModelBuild.Compression;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Metrics;
using ModelBuild.Onnx;

namespace ModelBuild.Compiler.Inspection;

/// <summary>One layer: how far apart the two models are behind it, and how long each takes for it.</summary>
/// <param name="Layer">The layer's name in the original.</param>
/// <param name="Operator">Its operator.</param>
/// <param name="Tensor">The tensor's name in the original.</param>
/// <param name="Sqnr">Signal to noise of the compressed model's tensor, in dB, over all samples; NaN, as are the next two, where the compressed model does not
/// compute the tensor.</param>
/// <param name="Minimum">Smallest value in the original.</param>
/// <param name="Maximum">Largest value in the original.</param>
/// <param name="Microseconds">Time of the layer's kernels in the compressed model, a call; 0 where fused into another.</param>
/// <param name="OriginalMicroseconds">The same in the original.</param>
internal sealed record LayerError(string Layer, string Operator, string Tensor, double Sqnr, double Minimum, double Maximum, double Microseconds,
    double OriginalMicroseconds);

/// <summary>Runs two models on the same data with all common tensors kept, and measures how far apart they are.</summary>
internal static class LayerComparison
{
    public static IReadOnlyList<LayerError> Run(string path, string originalPath, IReadOnlyList<string> data, int threads, CancellationToken cancellation)
    {
        if (path.EndsWith(".modelbuild", StringComparison.OrdinalIgnoreCase))
            throw new CompressionException(CompilerCodes.CommandNotForBackend,
                "compare looks into .onnx files; a managed artifact keeps no tensors between its kernels. "
                + "Compress the model with -o OUT.onnx and compare that");
        var opened = OpenedModel.Open(originalPath);
        path = OpenedModel.Open(path).RunnablePath;
        var original = OnnxReader.Read(opened.RunnablePath);
        var compressed = OnnxReader.Read(path);
        var pairs = Pairs(original.Graph, compressed.Graph);
        foreach (var (name, _) in pairs)
            Expose(original.Graph, name);
        foreach (var name in pairs.Values)
            Expose(compressed.Graph, name);
        var metric = new Sqnr();
        var sums = pairs.Keys.ToDictionary(k => k, _ => new double[metric.StatisticCount], StringComparer.Ordinal);
        var ranges = pairs.Keys.ToDictionary(k => k, _ => (Low: double.PositiveInfinity, High: double.NegativeInfinity), StringComparer.Ordinal);
        using var a = OnnxRuntimeRunner.Unoptimized(original, threads);
        using var b = OnnxRuntimeRunner.Unoptimized(compressed, threads);
        var one = new double[metric.StatisticCount];
        var samples = opened.Data(data, "--inputs");
        foreach (var sample in samples.Samples())
        {
            cancellation.ThrowIfCancellationRequested();
            var want = a.Run(sample.Inputs);
            var got = b.Run(sample.Inputs);
            foreach (var (name, other) in pairs)
            {
                // Sequences and empty optionals are no tensors.
                if (!want.TryGetValue(name, out var expected) || !got.TryGetValue(other, out var actual)
                    || !FloatValues.CanRead(expected.ElementType) || !FloatValues.CanRead(actual.ElementType) || expected.Length != actual.Length)
                    continue;
                var reference = FloatValues.Of(expected);
                metric.Measure(new(reference, reference, FloatValues.Of(actual), new(1, reference.Length), []), one);
                for (var i = 0; i < one.Length; i++)
                    sums[name][i] += one[i];
                var (low, high) = ranges[name];
                foreach (var v in reference)
                    (low, high) = (Math.Min(low, v), Math.Max(high, v));
                ranges[name] = (low, high);
            }
        }
        var times = KernelTimes.Of(path, samples, threads);
        var originalTimes = KernelTimes.Of(opened.RunnablePath, samples, threads);
        return [.. original.Graph.Nodes.Select(n =>
        {
            var name = n.Key;
            var measured = sums.ContainsKey(name) && double.IsFinite(ranges[name].Low);
            return new LayerError(n.DisplayName, n.OpType, name, measured ? metric.Evaluate(sums[name]).Compressed : double.NaN, measured ? ranges[name].Low
                : double.NaN, measured ? ranges[name].High : double.NaN,
                times.GetValueOrDefault(n.DisplayName), originalTimes.GetValueOrDefault(n.DisplayName));
        }).Where(l => !double.IsNaN(l.Sqnr) || l.Microseconds > 0 || l.OriginalMicroseconds > 0)];
    }

    /// <summary>Tensors of the original and what carries their values in the compressed model: the tensor of the same name, or the floats of its
    /// integers.</summary>
    private static SortedDictionary<string, string> Pairs(Graph original, Graph compressed)
    {
        var pairs = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var value in original.Nodes.SelectMany(n => n.Outputs).Where(v => v.Name.Length > 0))
        {
            if (compressed.Find($"{value.Name}_q") is { } integers)
            {
                if (integers.Uses.Select(u => u.Node).FirstOrDefault(n => n.Is("DequantizeLinear")) is { } floats)
                    pairs.Add(value.Name, floats.Output.Name);
            }
            else if (compressed.Find(value.Name) is { Constant: null, IsGraphInput: false })
                pairs.Add(value.Name, value.Name);
        }
        return pairs;
    }

    private static void Expose(Graph graph, string name)
    {
        if (graph.Find(name) is { IsGraphOutput: false } value)
            graph.AddOutput(value);
    }
}
