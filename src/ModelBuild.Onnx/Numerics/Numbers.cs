using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace ModelBuild.Onnx;

/// <summary>
/// Elements of tensors as numbers: floating-point types as binary64, integers and booleans as 64-bit integers (UInt64 by its bit pattern), and back,
/// rounded to the element type once. Integers wrap around.
/// </summary>
public static class Numbers
{
    /// <summary>The elements as binary64; integers converted.</summary>
    /// <exception cref="NotSupportedException">The elements are strings or complex numbers.</exception>
    public static double[] Doubles(Tensor tensor)
    {
        var result = new double[checked((int)tensor.Length)];
        var type = tensor.ElementType;
        switch (type)
        {
            case ElementType.Float:
                var floats = tensor.Span<float>();
                for (var i = 0; i < result.Length; i++)
                    result[i] = floats[i];
                break;
            case ElementType.Double:
                tensor.Span<double>().CopyTo(result);
                break;
            case ElementType.Float16:
                var halves = tensor.Span<Half>();
                for (var i = 0; i < result.Length; i++)
                    result[i] = (double)halves[i];
                break;
            case ElementType.BFloat16:
                var upper = tensor.Span<ushort>();
                for (var i = 0; i < result.Length; i++)
                    result[i] = BitConverter.UInt32BitsToSingle((uint)upper[i] << 16);
                break;
            case ElementType.Float8E8M0:
                var powers = tensor.Span<byte>();
                for (var i = 0; i < result.Length; i++)
                    result[i] = powers[i] == 255 ? double.NaN : Math.ScaleB(1, powers[i] - 127);
                break;
            case ElementType.UInt64:
                var unsigned = tensor.Span<ulong>();
                for (var i = 0; i < result.Length; i++)
                    result[i] = unsigned[i];
                break;
            default:
                if (MiniFloat.Of(type) is { } format)
                {
                    var bits = Patterns(tensor);
                    for (var i = 0; i < result.Length; i++)
                        result[i] = format.Decode(bits[i]);
                }
                else
                {
                    var integers = Integers(tensor);
                    for (var i = 0; i < result.Length; i++)
                        result[i] = integers[i];
                }
                break;
        }
        return result;
    }

    /// <summary>The elements of an integer or boolean tensor.</summary>
    /// <exception cref="NotSupportedException">The elements are of another type.</exception>
    public static long[] Integers(Tensor tensor)
    {
        var result = new long[checked((int)tensor.Length)];
        switch (tensor.ElementType)
        {
            case ElementType.Int64 or ElementType.UInt64:
                tensor.Span<long>().CopyTo(result);
                break;
            case ElementType.Int32:
                Widen(tensor.Span<int>(), result, static v => v);
                break;
            case ElementType.UInt32:
                Widen(tensor.Span<uint>(), result, static v => v);
                break;
            case ElementType.Int16:
                Widen(tensor.Span<short>(), result, static v => v);
                break;
            case ElementType.UInt16:
                Widen(tensor.Span<ushort>(), result, static v => v);
                break;
            case ElementType.Int8:
                Widen(tensor.Span<sbyte>(), result, static v => v);
                break;
            case ElementType.UInt8:
                Widen(tensor.Span<byte>(), result, static v => v);
                break;
            case ElementType.Bool:
                Widen(tensor.Span<byte>(), result, static v => v != 0 ? 1 : 0);
                break;
            case ElementType.UInt4 or ElementType.UInt2:
                Widen<byte>(Patterns(tensor), result, static v => v);
                break;
            case ElementType.Int4:
                Widen<byte>(Patterns(tensor), result, static v => (v ^ 8) - 8);
                break;
            case ElementType.Int2:
                Widen<byte>(Patterns(tensor), result, static v => (v ^ 2) - 2);
                break;
            default:
                throw new NotSupportedException($"elements of type {tensor.ElementType} are no integers");
        }
        return result;
    }

    /// <summary>A tensor of any numeric type from binary64: rounded to nearest even; for integers truncated and wrapped around.</summary>
    /// <param name="type">The element type.</param>
    /// <param name="shape">The shape.</param>
    /// <param name="values">One number per element.</param>
    /// <param name="saturate">What 8-bit floats do with numbers beyond their range: the largest value, or infinity (NaN).</param>
    public static Tensor Of(ElementType type, ImmutableArray<long> shape, double[] values, bool saturate = true)
    {
        switch (type)
        {
            case ElementType.Double:
                return Tensor.Of(values, shape.AsSpan());
            case ElementType.Float:
                var floats = new float[values.Length];
                for (var i = 0; i < floats.Length; i++)
                    floats[i] = (float)values[i];
                return Tensor.Of(floats, shape.AsSpan());
            case ElementType.Float16:
                return Tensor.Of(Array.ConvertAll(values, static v => (Half)v), shape.AsSpan());
            case ElementType.BFloat16:
                return new(type, shape, MemoryMarshal.AsBytes(Array.ConvertAll(values, static v => (ushort)MiniFloat.BFloat16.Encode(v, false)).AsSpan())
                    .ToArray());
            case ElementType.Float8E8M0:
                return new(type, shape, Array.ConvertAll(values, static v => PowerOfTwo(v)));
            case ElementType.UInt64:
                return Tensor.Of(Array.ConvertAll(values, static v => double.IsNegative(v) ? (ulong)Truncate(v) : unchecked((ulong)v)), shape.AsSpan());
            case ElementType.Bool:
                return new(type, shape, Array.ConvertAll(values, static v => v != 0 ? (byte)1 : (byte)0));
            default:
                if (MiniFloat.Of(type) is { } format)
                    return FromPatterns(type, shape, Array.ConvertAll(values, v => (byte)format.Encode(v, saturate)));
                return Of(type, shape, Array.ConvertAll(values, Truncate));
        }
    }

    /// <summary>A tensor of an integer, boolean or floating-point type from integers, which wrap around to the type.</summary>
    public static Tensor Of(ElementType type, ImmutableArray<long> shape, long[] values) => type switch
    {
        ElementType.Int64 => Tensor.Of(values, shape.AsSpan()),
        ElementType.UInt64 => Tensor.Of(Array.ConvertAll(values, static v => (ulong)v), shape.AsSpan()),
        ElementType.Int32 => Tensor.Of(Array.ConvertAll(values, static v => (int)v), shape.AsSpan()),
        ElementType.UInt32 => Tensor.Of(Array.ConvertAll(values, static v => (uint)v), shape.AsSpan()),
        ElementType.Int16 => Tensor.Of(Array.ConvertAll(values, static v => (short)v), shape.AsSpan()),
        ElementType.UInt16 => Tensor.Of(Array.ConvertAll(values, static v => (ushort)v), shape.AsSpan()),
        ElementType.Int8 => Tensor.Of(Array.ConvertAll(values, static v => (sbyte)v), shape.AsSpan()),
        ElementType.UInt8 => Tensor.Of(Array.ConvertAll(values, static v => (byte)v), shape.AsSpan()),
        ElementType.Bool => new(type, shape, Array.ConvertAll(values, static v => v != 0 ? (byte)1 : (byte)0)),
        ElementType.UInt4 or ElementType.Int4 => FromPatterns(type, shape, Array.ConvertAll(values, static v => (byte)(v & 15))),
        ElementType.UInt2 or ElementType.Int2 => FromPatterns(type, shape, Array.ConvertAll(values, static v => (byte)(v & 3))),
        _ when ElementTypes.IsFloat(type) => Of(type, shape, Array.ConvertAll(values, static v => (double)v)),
        _ => throw new NotSupportedException($"a tensor of {type} cannot be made from integers"),
    };

    /// <summary>The number rounded to a floating-point type, as binary64.</summary>
    public static double Round(ElementType type, double value) => type switch
    {
        ElementType.Float => (float)value,
        ElementType.Float16 => (double)(Half)value,
        _ => MiniFloat.Of(type) is { } f ? f.Decode(f.Encode(value, type != ElementType.BFloat16)) : value,
    };

    /// <summary>The smallest and largest value of an integer type.</summary>
    public static (double Min, double Max) RangeOf(ElementType type) => type switch
    {
        ElementType.UInt2 => (0, 3),
        ElementType.Int2 => (-2, 1),
        ElementType.UInt4 => (0, 15),
        ElementType.Int4 => (-8, 7),
        ElementType.UInt8 => (0, 255),
        ElementType.Int8 => (-128, 127),
        ElementType.UInt16 => (0, 65535),
        ElementType.Int16 => (-32768, 32767),
        ElementType.Int32 => (int.MinValue, int.MaxValue),
        ElementType.UInt32 => (0, uint.MaxValue),
        ElementType.Int64 => (long.MinValue, long.MaxValue),
        ElementType.UInt64 => (0, ulong.MaxValue),
        _ => throw new NotSupportedException($"{type} is no integer type"),
    };

    /// <summary>The bit patterns of elements of 8 bits or fewer, one a byte.</summary>
    public static byte[] Patterns(Tensor tensor)
    {
        var bits = ElementTypes.BitsOf(tensor.ElementType);
        var bytes = tensor.Bytes.Span;
        if (bits == 8)
            return bytes.ToArray();
        var perByte = 8 / bits;
        var result = new byte[tensor.Length];
        for (var i = 0; i < result.Length; i++)
            result[i] = (byte)(bytes[i / perByte] >> i % perByte * bits & (1 << bits) - 1);
        return result;
    }

    /// <summary>A tensor of elements of 8 bits or fewer from their bit patterns, one a byte.</summary>
    public static Tensor FromPatterns(ElementType type, ImmutableArray<long> shape, byte[] patterns)
    {
        var bits = ElementTypes.BitsOf(type);
        if (bits == 8)
            return new(type, shape, patterns);
        var perByte = 8 / bits;
        var packed = new byte[ElementTypes.ByteSize(type, patterns.Length)];
        for (var i = 0; i < patterns.Length; i++)
            packed[i / perByte] |= (byte)(patterns[i] << i % perByte * bits);
        return new(type, shape, packed);
    }

    private static byte PowerOfTwo(double value)
    {
        if (double.IsNaN(value) || value <= 0)
            return value == 0 ? (byte)0 : (byte)255;
        if (double.IsInfinity(value))
            return 254;
        var exponent = Math.ILogB(value);
        // To the nearest power; the middle of two, 1.5 times the lower, counts upwards.
        return (byte)Math.Clamp((Math.ScaleB(value, -exponent) >= 1.5 ? exponent + 1 : exponent) + 127, 0, 254);
    }

    private static long Truncate(double v) => double.IsNaN(v) ? 0 : v >= long.MaxValue ? long.MaxValue : v <= long.MinValue ? long.MinValue : (long)v;

    private static void Widen<T>(ReadOnlySpan<T> from, long[] to, Func<T, long> convert)
    {
        for (var i = 0; i < to.Length; i++)
            to[i] = convert(from[i]);
    }
}
