using System.Text;

namespace ModelBuild.Tasks.Tests.Support;

/// <summary>Writes small .onnx files field by field, right or wrong.</summary>
internal sealed class OnnxFile
{
    private readonly MemoryStream _bytes = new();

    public static OnnxFile Message() => new();

    /// <summary>A whole model: one Relu from x to y, both of a type and shape.</summary>
    public static byte[] Model(long ir = 8, long opset = 17, string input = "x", string output = "y", int type = 1, params object[] shape) => Message()
        .Integer(1, ir)
        .Text(2, "test")
        .Sub(7, Message()
            .Sub(1, Message().Text(1, input).Text(2, output).Text(4, "Relu"))
            .Sub(11, Value(input, type, shape))
            .Sub(12, Value(output, type, shape)))
        .Sub(8, Message().Integer(2, opset))
        .ToArray();

    /// <summary>A tensor's ValueInfoProto; dimensions are numbers, names, or null for nothing.</summary>
    public static OnnxFile Value(string name, int type, params object?[] shape)
    {
        var dimensions = Message();
        foreach (var size in shape)
            dimensions.Sub(1, size switch
            {
                int number => Message().Integer(1, number),
                string text => Message().Text(2, text),
                _ => Message(),
            });
        return Message().Text(1, name).Sub(2, Message().Sub(1, Message().Integer(1, type).Sub(2, dimensions)));
    }

    public OnnxFile Integer(int field, long value) => Varint((ulong)field << 3).Varint((ulong)value);

    public OnnxFile Text(int field, string text) => Bytes(field, Encoding.UTF8.GetBytes(text));

    public OnnxFile Sub(int field, OnnxFile message) => Bytes(field, message.ToArray());

    public OnnxFile Bytes(int field, byte[] bytes)
    {
        Varint((ulong)field << 3 | 2).Varint((ulong)bytes.Length);
        _bytes.Write(bytes);
        return this;
    }

    public OnnxFile Varint(ulong value)
    {
        while (value >= 0x80)
        {
            _bytes.WriteByte((byte)(value | 0x80));
            value >>= 7;
        }
        _bytes.WriteByte((byte)value);
        return this;
    }

    public byte[] ToArray() => _bytes.ToArray();
}
