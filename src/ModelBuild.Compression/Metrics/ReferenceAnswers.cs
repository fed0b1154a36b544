using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Metrics;

/// <summary>What a candidate's answer to one sample is compared with.</summary>
/// <param name="Outputs">The original's judged outputs.</param>
/// <param name="Labels">Labels, Int64; null where there are none.</param>
/// <param name="Expected">Expected values by output; empty where there are none.</param>
public sealed record ReferenceAnswer(IReadOnlyDictionary<string, Tensor> Outputs, Tensor? Labels, IReadOnlyDictionary<string, Tensor> Expected);

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
    private readonly ReferenceAnswer?[] _kept = new ReferenceAnswer?[data.Count];
    private long _bytes;

    /// <summary>The part of the data.</summary>
    public Dataset Data => data;

    /// <summary>What is known about one sample.</summary>
    /// <param name="index">The sample.</param>
    /// <param name="sample">The sample, where the caller has it already.</param>
    public ReferenceAnswer Get(int index, Sample? sample = null)
    {
        if (_kept[index] is { } kept)
            return kept;
        sample ??= data[index];
        var all = original.Run(sample.Inputs);
        var answer = new ReferenceAnswer(outputs.ToDictionary(o => o, o => all[o], StringComparer.Ordinal), sample.Labels,
            sample.Expected.Where(e => outputs.Contains(e.Key)).ToDictionary(StringComparer.Ordinal));
        var size = answer.Outputs.Values.Concat(answer.Expected.Values).Sum(SizeOf);
        if (_bytes + size <= MaximumBytes)
        {
            _kept[index] = answer;
            _bytes += size;
        }
        return answer;
    }

    private static long SizeOf(Tensor tensor) => tensor.ElementType == ElementType.String ? tensor.Strings.ToArray().Sum(static s => 2L * s.Length)
        : tensor.Bytes.Length;
}
