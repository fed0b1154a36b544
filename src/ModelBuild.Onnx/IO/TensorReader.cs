using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.Collections;
using ModelBuild.Onnx.Proto;

namespace ModelBuild.Onnx;

/// <summary>Turns tensor messages into tensors. Raw data is shared with the message, typed fields are converted.</summary>
internal static class TensorReader
{
    // A string that is not UTF-8 would come out changed.
    private static readonly UTF8Encoding StrictUtf8 = new(false, true);

    public static Tensor Read(TensorProto proto, ExternalData external, string where)
    {
        var type = (ElementType)proto.DataType;
        if (proto.Segment is not null)
            throw new OnnxException(OnnxErrors.Tensor, $"{where}: tensors in segments are not supported");
        if (type == ElementType.Undefined || !Enum.IsDefined(type))
            throw new OnnxException(OnnxErrors.Tensor, $"{where} has the unknown element type {proto.DataType}");
        ImmutableArray<long> shape = [.. proto.Dims];
        long count, size;
        try
        {
            count = Tensor.Count(shape.AsSpan());
            size = ElementTypes.ByteSize(type, count);
        }
        catch (Exception e) when (e is ArgumentException or OverflowException)
        {
            throw new OnnxException(OnnxErrors.Tensor, $"{where} has an impossible shape [{string.Join(',', shape)}]: {e.Message}", null, e);
        }
        if (type == ElementType.String)
        {
            if (proto.StringData.Count != count)
                throw new OnnxException(OnnxErrors.Tensor,
                    $"{where} has {proto.StringData.Count} strings; its shape [{string.Join(',', shape)}] asks for {count}");
            return new(shape, [.. proto.StringData.Select(s => Text(s, where))]);
        }
        if (size > int.MaxValue)
            throw new OnnxException(OnnxErrors.TooLarge, $"{where} takes {size} bytes; a single tensor of 2 GB or more is not supported");
        var bytes = proto.DataLocation == TensorProto.Types.DataLocation.External ? external.Map(proto, size, where)
            : proto.HasRawData ? proto.RawData.Memory
            : Typed(proto, type);
        if (bytes.Length != size)
            throw new OnnxException(OnnxErrors.Tensor, $"{where} has {bytes.Length} bytes of data; {type}[{string.Join(',', shape)}] takes {size}");
        return new(type, shape, bytes);
    }

    /// <summary>What the message holds apart from name and data, or null where that is nothing.</summary>
    public static TensorProto? Rest(TensorProto proto)
    {
        proto.ClearRawData();
        proto.ClearName();
        proto.ClearDataType();
        proto.ClearDataLocation();
        proto.Dims.Clear();
        proto.FloatData.Clear();
        proto.Int32Data.Clear();
        proto.Int64Data.Clear();
        proto.Uint64Data.Clear();
        proto.DoubleData.Clear();
        proto.StringData.Clear();
        proto.ExternalData.Clear();
        return proto.CalculateSize() > 0 ? proto : null;
    }

    private static string Text(ByteString bytes, string where)
    {
        try
        {
            return StrictUtf8.GetString(bytes.Span);
        }
        catch (ArgumentException e)
        {
            throw new OnnxException(OnnxErrors.Tensor, $"{where} holds a string that is not UTF-8", null, e);
        }
    }

    private static byte[] Typed(TensorProto proto, ElementType type) => type switch
    {
        ElementType.Float or ElementType.Complex64 => Bytes(proto.FloatData),
        ElementType.Double or ElementType.Complex128 => Bytes(proto.DoubleData),
        ElementType.Int64 => Bytes(proto.Int64Data),
        ElementType.UInt64 => Bytes(proto.Uint64Data),
        ElementType.UInt32 => Bytes(proto.Uint64Data, static v => (uint)v),
        ElementType.Int32 => Bytes(proto.Int32Data),
        _ when ElementTypes.BitsOf(type) == 16 => Bytes(proto.Int32Data, static v => (ushort)v),
        // 8 bits, or several elements in 8 bits.
        _ => Bytes(proto.Int32Data, static v => (byte)v),
    };

    private static byte[] Bytes<T>(RepeatedField<T> field) where T : unmanaged
    {
        var values = new T[field.Count];
        field.CopyTo(values, 0);
        return MemoryMarshal.AsBytes(values.AsSpan()).ToArray();
    }

    private static byte[] Bytes<TFrom, TTo>(RepeatedField<TFrom> field, Func<TFrom, TTo> convert) where TTo : unmanaged
    {
        var values = new TTo[field.Count];
        for (var i = 0; i < values.Length; i++)
            values[i] = convert(field[i]);
        return MemoryMarshal.AsBytes(values.AsSpan()).ToArray();
    }
}
