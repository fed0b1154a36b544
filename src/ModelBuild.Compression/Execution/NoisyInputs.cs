using ModelBuild.Compression.Data;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Execution;

/// <summary>
/// Runs a model on inputs that are off by up to half a step of their grid, evenly spread: what no grid can tell from the true input. The noise depends on the
/// number of the call alone.
/// </summary>
/// <param name="inner">The model; it stays the caller's.</param>
/// <param name="grid">The grid of one input.</param>
public sealed class NoisyInputs(IModelRunner inner, InputGrid grid) : IModelRunner
{
    private ulong _state = 0x9E3779B97F4A7C15UL;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Tensor> Run(IReadOnlyDictionary<string, Tensor> inputs)
    {
        var clean = inputs[grid.Input];
        var values = clean.ToArray<float>();
        var below = clean.Shape.Skip(grid.ChannelAxis + 1).Aggregate(1L, (a, b) => a * b);
        var channels = clean.Shape[grid.ChannelAxis];
        for (var i = 0; i < values.Length; i++)
        {
            var step = grid.Steps.Count == 1 ? grid.Steps[0] : grid.Steps[(int)(i / below % channels)];
            values[i] += (float)((Next() - 0.5) * step);
        }
        return inner.Run(new Dictionary<string, Tensor>(inputs, StringComparer.Ordinal) { [grid.Input] = Tensor.Of(values, clean.Shape.AsSpan()) });
    }

    // The upper 53 bits of a linear congruence modulo 2^64 make a number from 0 to 1.
    private double Next()
    {
        _state = _state * 6364136223846793005UL + 1442695040888963407UL;
        return (_state >> 11) * (1.0 / (1UL << 53));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
