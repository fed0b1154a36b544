using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using ModelBuild.Onnx;
using Tensor = ModelBuild.Onnx.Tensor;

namespace ModelBuild.Compression.Metrics;

/// <summary>The elements of any float tensor as 32-bit floats.</summary>
public static class FloatValues
{
    /// <summary>Whether outputs of a type are judged.</summary>
    public static bool CanRead(ElementType type) => type is ElementType.Float or ElementType.Double or ElementType.Float16 or ElementType.BFloat16;

    /// <summary>The elements; a view where they are 32-bit floats already, else a copy.</summary>
    /// <exception cref="ArgumentException">The tensor is not one of floats.</exception>
    public static ReadOnlySpan<float> Of(Tensor tensor)
    {
        switch (tensor.ElementType)
        {
            case ElementType.Float:
                return tensor.Span<float>();
            case ElementType.Double:
            {
                var result = new float[tensor.Length];
                TensorPrimitives.ConvertTruncating(tensor.Span<double>(), result);
                return result;
            }
            case ElementType.Float16:
            {
                var result = new float[tensor.Length];
                TensorPrimitives.ConvertToSingle(tensor.Span<Half>(), result);
                return result;
            }
            case ElementType.BFloat16:
            {
                var bits = MemoryMarshal.Cast<byte, ushort>(tensor.Bytes.Span);
                var result = new float[bits.Length];
                for (var i = 0; i < bits.Length; i++)
                    result[i] = BitConverter.UInt32BitsToSingle((uint)bits[i] << 16);
                return result;
            }
            default:
                throw new ArgumentException($"a tensor of {tensor.ElementType} holds no floats", nameof(tensor));
        }
    }

    /// <summary>The elements of an integer tensor as 64-bit integers.</summary>
    public static long[] Integers(Tensor tensor)
    {
        var result = new long[tensor.Length];
        for (var i = 0; i < result.Length; i++)
            result[i] = tensor.ElementType switch
            {
                ElementType.Int64 => tensor.Span<long>()[i],
                ElementType.Int32 => tensor.Span<int>()[i],
                ElementType.Int16 => tensor.Span<short>()[i],
                ElementType.Int8 => tensor.Span<sbyte>()[i],
                ElementType.UInt8 => tensor.Span<byte>()[i],
                ElementType.UInt16 => tensor.Span<ushort>()[i],
                ElementType.UInt32 => tensor.Span<uint>()[i],
                ElementType.UInt64 => checked((long)tensor.Span<ulong>()[i]),
                _ => throw new ArgumentException($"a tensor of {tensor.ElementType} holds no integers", nameof(tensor)),
            };
        return result;
    }
}
