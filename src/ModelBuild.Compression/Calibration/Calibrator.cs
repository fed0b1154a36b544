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
    /// <param name="names">The tensors.</param>
    /// <param name="threads">Threads of the run.</param>
    /// <param name="progress">Called with the number of samples done.</param>
    /// <param name="cancellation">Stops the run.</param>
    public static IReadOnlyDictionary<string, RangeHistogram> Run(Model model, Dataset data, IReadOnlyCollection<string> names, int threads,
        Action<int>? progress = null, CancellationToken cancellation = default)
    {
        var copy = model.Clone();
        foreach (var name in names)
            if (copy.Graph.Find(name) is { IsGraphOutput: false, IsGraphInput: false, Constant: null } value)
                copy.Graph.AddOutput(value);
        using var runner = OnnxRuntimeRunner.Unoptimized(copy, threads);
        var histograms = names.ToDictionary(n => n, _ => new RangeHistogram(), StringComparer.Ordinal);
        for (var i = 0; i < data.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            var inputs = data[i].Inputs;
            var outputs = runner.Run(inputs);
            foreach (var (name, histogram) in histograms)
                if ((outputs.TryGetValue(name, out var tensor) || inputs.TryGetValue(name, out tensor)) && tensor.ElementType == ElementType.Float)
                    histogram.Add(tensor.Span<float>());
            progress?.Invoke(i + 1);
        }
        return histograms;
    }
}
