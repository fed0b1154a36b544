using System.Collections.Immutable;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Metrics;

/// <summary>Finds the output that labels are about: it has a row of scores for each label, and more classes than the largest label.</summary>
internal static class LabelFit
{
    /// <summary>The first output that fits, and how its classes are read; null where none does. A recurrent state has rows too, but not as many.</summary>
    public static (string Output, OutputReading Reading)? Find(IEnumerable<Value> outputs, LabelSummary labels)
    {
        foreach (var output in outputs)
        {
            if (output.Type is not { HasRank: true, Rank: >= 1 } type || !FloatValues.CanRead(type.ElementType))
                continue;
            if (labels.Largest <= 1 && ClassOutputs.IsSigmoid(output)
                && (HasRows(type.Shape, labels.Shape) || ClassOutputs.IsOne(type.Shape[^1]) && HasRows(type.Shape[..^1], labels.Shape)))
                return (output.Name, new(OutputMeaning.Probability));
            if (type.Rank >= 2 && Axis(type, labels) is { } axis)
                return (output.Name, new(OutputMeaning.Scores, axis));
        }
        return null;
    }

    /// <summary>Classes lie along the last axis (sizes of 1 behind it do not count), or along the second one: [N, classes, height, width] for labels [N,
    /// height, width].</summary>
    private static int? Axis(TensorType scores, LabelSummary labels)
    {
        var last = ClassOutputs.LastAxis(scores);
        foreach (var axis in last == 1 ? [1] : labels.Shape.Length == scores.Rank - 1 && scores.Rank > 2 ? new[] { last, 1 } : [last])
            if ((!scores.Shape[axis].IsConstant || scores.Shape[axis].Value > Math.Max(1, labels.Largest))
                && HasRows(axis == last ? scores.Shape[..axis] : scores.Shape.RemoveAt(axis), labels.Shape))
                return axis;
        return null;
    }

    private static bool HasRows(ImmutableArray<Dimension> rows, ImmutableArray<long> labels)
    {
        if (rows.Length == labels.Length && rows.Zip(labels).All(static r => !r.First.IsConstant || r.First.Value == r.Second))
            return true;
        // Sizes of 1 are no rows; a batch that is not fixed is what the labels say.
        long count = 1;
        for (var i = 0; i < rows.Length; i++)
        {
            if (!rows[i].IsConstant && i > 0)
                return false;
            count *= rows[i].IsConstant ? rows[i].Value : labels.IsEmpty ? 1 : labels[0];
        }
        return count == labels.Aggregate(1L, static (a, b) => a * b);
    }
}
