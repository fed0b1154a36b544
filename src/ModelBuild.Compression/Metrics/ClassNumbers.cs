using ModelBuild.Onnx;

namespace ModelBuild.Compression.Metrics;

/// <summary>Numbers for the classes that an output names by integers, truth values or strings: equal classes get equal numbers, exact as 32-bit
/// floats.</summary>
internal sealed class ClassNumbers
{
    private readonly Dictionary<object, float> _numbers = [];

    /// <summary>The number of each element.</summary>
    public float[] Of(Tensor tensor) => tensor.ElementType == ElementType.String
        ? [.. tensor.Strings.ToArray().Select(Number)]
        : [.. Numbers.Integers(tensor).Select(v => Number(v))];

    private float Number(object value)
    {
        if (!_numbers.TryGetValue(value, out var number))
            _numbers.Add(value, number = _numbers.Count);
        return number;
    }
}
