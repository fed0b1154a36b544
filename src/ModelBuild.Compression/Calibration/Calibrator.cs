using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Metrics;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Calibration;

/// <summary>Runs a float model over the calibration data and collects a histogram of every tensor that may be quantized. Nothing else is kept.</summary>
public static class Calibrator
{
    /// <summary>Collects histograms.</summary>
    /// <param name="model">The model whose tensors are looked at. It is not changed.</param>
    /// <param name="data">The calibration part.</param>
    /// <param name="paths">The tensors, by <see cref="Value.Path"/>; those of bodies must be such that can be observed (<see cref="CanObserve"/>).</param>
    /// <param name="threads">Threads of the run.</param>
    /// <param name="progress">Called with the number of samples done.</param>
    /// <param name="cancellation">Stops the run.</param>
    public static IReadOnlyDictionary<string, RangeHistogram> Run(Model model, Dataset data, IReadOnlyCollection<string> paths, int threads,
        Action<int>? progress = null, CancellationToken cancellation = default)
    {
        var copy = model.Clone();
        var wanted = paths.ToHashSet(StringComparer.Ordinal);
        var seenAs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (path, value) in copy.Graphs.SelectMany(static g => g.Values).Select(static v => (v.Path, v)).Where(v => wanted.Contains(v.Path))
            .ToArray())
        {
            var seen = BodyTensors.HandOut(value);
            seenAs.Add(path, seen.Name);
            if (seen is { IsGraphOutput: false, IsGraphInput: false, Constant: null })
                copy.Graph.AddOutput(seen);
        }
        using var runner = OnnxRuntimeRunner.Unoptimized(copy, threads);
        var histograms = paths.ToDictionary(n => n, _ => new RangeHistogram(), StringComparer.Ordinal);
        for (var i = 0; i < data.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            var inputs = data[i].Inputs;
            var outputs = runner.Run(inputs);
            foreach (var (path, histogram) in histograms)
                if (seenAs.TryGetValue(path, out var name) && (outputs.TryGetValue(name, out var tensor) || inputs.TryGetValue(name, out tensor))
                    && tensor.ElementType == ElementType.Float)
                    histogram.Add(tensor.Span<float>());
            progress?.Invoke(i + 1);
        }
        return histograms;
    }

    /// <summary>Whether a tensor can be looked at: in a body that is run in turns, it must have the same sizes in each.</summary>
    public static bool CanObserve(Value value) => BodyTensors.CanHandOut(value);
}
