using System.Collections.Immutable;
using ModelBuild.Compression.Data;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Metrics;

/// <summary>What the labels of a part of the data are like.</summary>
/// <param name="Shape">The shape of a sample's labels: one per row of the leading axis, or one per position.</param>
/// <param name="Counted">How many rows of the leading axis have a label that is not negative. Positions of one row are no independent trials.</param>
/// <param name="Largest">The largest label.</param>
/// <param name="Commonest">The commonest label.</param>
public sealed record LabelSummary(ImmutableArray<long> Shape, long Counted, long Largest, long Commonest)
{
    /// <summary>Summarizes labels; null where no sample has any.</summary>
    /// <param name="labels">The labels of each sample, Int64; null where a sample has none.</param>
    public static LabelSummary? Of(IEnumerable<Tensor?> labels)
    {
        var counts = new Dictionary<long, long>();
        var shape = default(ImmutableArray<long>);
        long counted = 0, largest = -1;
        foreach (var tensor in labels)
        {
            if (tensor is null)
                continue;
            if (shape.IsDefault)
                shape = tensor.Shape;
            var values = tensor.Span<long>();
            var rows = tensor.Rank == 0 ? 1 : (int)tensor.Shape[0];
            for (var row = 0; row < rows; row++)
            {
                var hasLabel = false;
                foreach (var label in values.Slice(row * (values.Length / rows), values.Length / rows))
                {
                    if (label < 0)
                        continue;
                    hasLabel = true;
                    largest = Math.Max(largest, label);
                    counts[label] = counts.GetValueOrDefault(label) + 1;
                }
                counted += hasLabel ? 1 : 0;
            }
        }
        return shape.IsDefault ? null : new(shape, counted, largest, counts.Count == 0 ? -1 : counts.OrderByDescending(c => c.Value).ThenBy(c => c.Key)
            .First().Key);
    }

    /// <summary>Summarizes the labels of a data set.</summary>
    public static LabelSummary? Of(Dataset data) => data.HasLabels ? Of(data.Samples().Select(s => s.Labels)) : null;
}
