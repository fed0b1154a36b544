using System.Globalization;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Metrics;

/// <summary>Compares outputs that are no floats element by element.</summary>
internal static class ExactComparison
{
    /// <summary>Where two tensors of one shape and type differ first, as text; null where they are equal.</summary>
    public static string? FirstDifference(Tensor original, Tensor candidate)
    {
        if (original.ElementType != candidate.ElementType)
            return $"{candidate.ElementType} instead of {original.ElementType}";
        if (original.ElementType != ElementType.String && original.Bytes.Span.SequenceEqual(candidate.Bytes.Span))
            return null;
        if (original.ElementType != ElementType.String && original.ElementType != ElementType.Bool && !ElementTypes.IsInteger(original.ElementType))
            return "other values";
        var (a, b) = (Elements(original), Elements(candidate));
        var first = Enumerable.Range(0, a.Length).FirstOrDefault(i => a[i] != b[i], -1);
        return first < 0 ? null : $"{b[first]} instead of {a[first]} at element {first}";
    }

    private static string[] Elements(Tensor tensor) => tensor.ElementType == ElementType.String
        ? [.. tensor.Strings.ToArray().Select(s => $"'{s}'")]
        : [.. Numbers.Integers(tensor).Select(v => v.ToString(CultureInfo.InvariantCulture))];
}
