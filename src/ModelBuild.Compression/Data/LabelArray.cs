using System.Collections.Immutable;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Data;

/// <summary>
/// Labels in the forms in which people keep them: integers, booleans, floats that hold integers (not a number: no label), and one-hot rows. All are read as
/// 64-bit class numbers.
/// </summary>
internal sealed class LabelArray
{
    private readonly NpyArray _array;
    private readonly ImmutableArray<long> _shape;
    private readonly bool _oneHot;

    private LabelArray(NpyArray array, ImmutableArray<long> shape, bool oneHot)
    {
        _array = array;
        _shape = shape;
        _oneHot = oneHot;
    }

    /// <summary>Takes an array as labels.</summary>
    /// <param name="array">The array; its first axis divides into the samples.</param>
    /// <param name="samples">The number of samples.</param>
    /// <param name="model">The model, whose outputs tell a one-hot row from a row of labels.</param>
    /// <param name="why">Why the array cannot be taken, or null.</param>
    public static LabelArray? TryTake(NpyArray array, int samples, ModelInterface model, out string? why)
    {
        why = null;
        var shape = array.Shape.SetItem(0, array.Shape[0] / samples);
        if (array.ElementType == ElementType.String)
            why = "it holds strings; labels are class numbers, for example np.unique(names, return_inverse=True)[1]";
        else if (!IsNumber(array.ElementType))
            why = $"it holds {array.ElementType}; labels are class numbers";
        if (why is not null)
            return null;
        // A row is one-hot where an output scores as many classes for each row (of two, one probability does), and none has a row of scores for each of its
        // elements.
        var outputs = model.Outputs.Select(static o => WithoutTrailingOnes(o.Dimensions)).ToList();
        var mayBeOneHot = array.Rank >= 2 && array.Shape[^1] > 1 && outputs.Any(o => ScoresRows(o, array)) && outputs.All(o => o.Length != array.Rank + 1);
        var whole = true;
        for (var i = 0; i < samples && (whole || mayBeOneHot); i++)
        {
            var numbers = Numbers(array, shape, i);
            whole = whole && numbers.All(static v => double.IsNaN(v) || v == Math.Floor(v) && Math.Abs(v) < 1L << 53);
            mayBeOneHot = mayBeOneHot && numbers.Chunk((int)array.Shape[^1]).All(IsOneHot);
        }
        if (mayBeOneHot)
            return new(array, shape, true);
        if (whole)
            return new(array, shape, false);
        why = "it holds fractions; labels are class numbers. Expected values of an output go into an array of the output's name";
        return null;
    }

    /// <summary>The labels of a sample, Int64; negative where there is none.</summary>
    public Tensor this[int index]
    {
        get
        {
            var numbers = Numbers(_array, _shape, index);
            if (!_oneHot)
                return Tensor.Of(Array.ConvertAll(numbers, static v => double.IsNaN(v) ? -1 : (long)v), _shape.AsSpan());
            var labels = numbers.Chunk((int)_shape[^1]).Select(static row => (long)Array.IndexOf(row, 1.0)).ToArray();
            return Tensor.Of(labels, _shape.AsSpan()[..^1]);
        }
    }

    private static bool ScoresRows(ImmutableArray<long?> output, NpyArray array)
    {
        var classes = array.Shape[^1];
        return output.Length == array.Rank && ((output[^1] ?? classes) == classes || output[^1] == 1 && classes == 2)
            || output.Length == 1 && array.Rank == 2 && classes == 2;
    }

    // Classifiers without a last Flatten score [N, classes, 1, 1].
    private static ImmutableArray<long?> WithoutTrailingOnes(ImmutableArray<long?> shape)
    {
        while (shape is [_, _, .., 1] && shape.Length > 2)
            shape = shape[..^1];
        return shape;
    }

    private static bool IsNumber(ElementType type) => ElementTypes.IsInteger(type) || type is ElementType.Bool or ElementType.Float or ElementType.Double
        or ElementType.Float16;

    // A row of zeros alone has no label.
    private static bool IsOneHot(double[] row) => row.All(static v => v is 0 or 1) && row.Count(static v => v == 1) <= 1;

    private static double[] Numbers(NpyArray array, ImmutableArray<long> shape, int index) =>
        Onnx.Numbers.Doubles(array.Slice(index * Tensor.Count(shape.AsSpan()), shape));
}
