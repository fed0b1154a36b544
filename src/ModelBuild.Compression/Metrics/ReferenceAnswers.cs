using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Metrics;

/// <summary>
/// The original's answers on a part of the data: computed when asked for, and kept as long as they fit a fixed amount of memory, so that further
/// candidates need not run the original again.
/// </summary>
/// <param name="original">Runs the original.</param>
/// <param name="data">The part of the data.</param>
/// <param name="outputs">The outputs that are judged.</param>
public sealed class ReferenceAnswers(IModelRunner original, Dataset data, IReadOnlyCollection<string> outputs)
{
    private const long MaximumBytes = 64L << 20;
    private readonly IReadOnlyDictionary<string, Tensor>?[] _kept = new IReadOnlyDictionary<string, Tensor>?[data.Count];
    private long _bytes;

    /// <summary>The part of the data.</summary>
    public Dataset Data => data;

    /// <summary>The judged outputs of one sample.</summary>
    public IReadOnlyDictionary<string, Tensor> this[int index]
    {
        get
        {
            if (_kept[index] is { } kept)
                return kept;
            var all = original.Run(data[index].Inputs);
            var judged = outputs.ToDictionary(o => o, o => all[o], StringComparer.Ordinal);
            var size = judged.Values.Sum(t => (long)t.Bytes.Length);
            if (_bytes + size <= MaximumBytes)
            {
                _kept[index] = judged;
                _bytes += size;
            }
            return judged;
        }
    }
}
