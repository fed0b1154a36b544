using ModelBuild.Onnx.Proto;

namespace ModelBuild.Onnx.Tests;

/// <summary>Values of test vectors: tensors, sequences and optionals, read by the declared type.</summary>
internal static class TestValue
{
    public static object? Read(byte[] bytes, Value declared) => Read(bytes, declared.NonTensorType as TypeProto);

    private static object? Read(byte[] bytes, TypeProto? type)
    {
        switch (type?.ValueCase)
        {
            case TypeProto.ValueOneofCase.SequenceType:
                return Sequence(SequenceFile.Parse(bytes));
            case TypeProto.ValueOneofCase.OptionalType:
                var optional = OptionalFile.Parse(bytes);
                return optional.Tensor is { } t ? Tensor(t) : optional.Sequence is { } s ? Sequence(s) : null;
            default:
                return Tensor(TensorProto.Parser.ParseFrom(bytes));
        }
    }

    private static Tensor Tensor(TensorProto proto)
    {
        using var none = new ExternalData(null);
        return TensorReader.Read(proto, none, "test vector");
    }

    private static TensorSequence Sequence(SequenceFile file)
    {
        var items = file.Tensors.Select(Tensor).ToArray();
        return new(items.Length > 0 ? items[0].ElementType : ElementType.Undefined, [.. items]);
    }

    /// <summary>What is wrong with a value, or null where it is as expected.</summary>
    public static string? Compare(object? expected, object? actual, double relative, double absolute)
    {
        switch (expected, actual)
        {
            case (null, null):
                return null;
            case (Tensor e, Tensor a):
                return Compare(e, a, relative, absolute);
            case (TensorSequence e, TensorSequence a):
                return e.Items.Length != a.Items.Length ? $"{a.Items.Length} items, not {e.Items.Length}"
                    : e.Items.Zip(a.Items).Select(p => Compare((object?)p.First, p.Second, relative, absolute)).FirstOrDefault(r => r is not null);
            default:
                return $"{actual?.GetType().Name ?? "nothing"}, not {expected?.GetType().Name ?? "nothing"}";
        }
    }

    private static string? Compare(Tensor e, Tensor a, double relative, double absolute)
    {
        if (e.ElementType != a.ElementType || !e.Shape.SequenceEqual(a.Shape))
            return $"{a}, not {e}";
        if (e.ElementType == ElementType.String)
            return e.Strings.SequenceEqual(a.Strings) ? null : "other strings";
        if (!ElementTypes.IsFloat(e.ElementType))
            return e.Bytes.Span.SequenceEqual(a.Bytes.Span) ? null
                : Difference(Numbers.Integers(e).Select(v => (double)v), Numbers.Integers(a).Select(v => (double)v), (x, y) => x == y);
        // The reference rounds half-precision results after every step: two units in the last place.
        relative = Math.Max(relative, e.ElementType switch { ElementType.Float16 => 1.0 / 512, ElementType.BFloat16 => 1.0 / 64, _ => 0 });
        return Difference(Numbers.Doubles(e), Numbers.Doubles(a), (x, y) => x.Equals(y) || Math.Abs(x - y) <= absolute + relative * Math.Abs(x));
    }

    private static string? Difference(IEnumerable<double> expected, IEnumerable<double> actual, Func<double, double, bool> same)
    {
        var i = 0;
        foreach (var (e, a) in expected.Zip(actual))
        {
            if (!same(e, a))
                return $"element {i} is {a:R}, not {e:R}";
            i++;
        }
        return null;
    }
}
