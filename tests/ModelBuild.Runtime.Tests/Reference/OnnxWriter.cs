using System.Runtime.InteropServices;
using System.Text;

namespace ModelBuild.TestModels;

/// <summary>Writes small ONNX models by the format's published field numbers, apart from the product's own writer, so that ONNX Runtime can be asked for
/// reference results.</summary>
internal sealed class OnnxWriter(int opset = 21)
{
    private readonly Message _graph = new Message().Text(2, "test");
    private readonly Message _model = new();
    private string? _otherDomain;

    public OnnxWriter Input(string name, ModelElementType type, params object[] dims)
    {
        _graph.Nested(11, ValueInfo(name, type, dims));
        return this;
    }

    public OnnxWriter Output(string name, ModelElementType type, params object[] dims)
    {
        _graph.Nested(12, ValueInfo(name, type, dims));
        return this;
    }

    public OnnxWriter Constant<T>(string name, ReadOnlySpan<T> values, params long[] dims) where T : unmanaged
    {
        Message tensor = new();
        foreach (var d in dims) tensor.Number(1, d);
        tensor.Number(2, (long)ModelElementTypes.Of<T>()).Text(8, name).Bytes(9, MemoryMarshal.AsBytes(values));
        _graph.Nested(5, tensor);
        return this;
    }

    /// <param name="op">The operator; one of another domain than ONNX's as domain::name.</param>
    /// <param name="inputs">Names of values, empty for those left out.</param>
    /// <param name="outputs">Names of values.</param>
    /// <param name="attributes">float, int, string or long[].</param>
    public OnnxWriter Node(string op, string[] inputs, string[] outputs, params (string Name, object Value)[] attributes)
    {
        Message node = new();
        if (op.Split("::") is [var domain, var name])
        {
            (op, _otherDomain) = (name, domain);
            node.Text(7, domain);
        }
        foreach (var i in inputs) node.Text(1, i);
        foreach (var o in outputs) node.Text(2, o);
        node.Text(3, op + outputs[0]).Text(4, op);
        foreach ((var key, var value) in attributes)
        {
            var attribute = new Message().Text(1, key);
            switch (value)
            {
                case float f: attribute.Float(2, f).Number(20, 1); break;
                case int i: attribute.Number(3, i).Number(20, 2); break;
                case string s: attribute.Text(4, s).Number(20, 3); break;
                case long[] list:
                    foreach (var l in list) attribute.Number(8, l);
                    attribute.Number(20, 7);
                    break;
                default: throw new ArgumentException(key);
            }
            node.Nested(5, attribute);
        }
        _graph.Nested(1, node);
        return this;
    }

    public OnnxWriter Metadata(string key, string value)
    {
        _model.Nested(14, new Message().Text(1, key).Text(2, value));
        return this;
    }

    public byte[] ToArray()
    {
        _model.Number(1, 10).Nested(7, _graph).Nested(8, new Message().Text(1, "").Number(2, opset));
        if (_otherDomain is not null) _model.Nested(8, new Message().Text(1, _otherDomain).Number(2, 1));
        return _model.ToArray();
    }

    private static Message ValueInfo(string name, ModelElementType type, object[] dims)
    {
        Message shape = new();
        foreach (var d in dims) shape.Nested(1, d is string s ? (s.Length == 0 ? new Message() : new Message().Text(2, s))
            : new Message().Number(1, Convert.ToInt64(d)));
        return new Message().Text(1, name).Nested(2, new Message().Nested(1, new Message().Number(1, (long)type).Nested(2, shape)));
    }

    /// <summary>A protobuf message as bytes.</summary>
    private sealed class Message
    {
        private readonly MemoryStream _bytes = new();

        public Message Number(int field, long value)
        {
            Varint((ulong)field << 3);
            Varint((ulong)value);
            return this;
        }

        public Message Float(int field, float value)
        {
            Varint((ulong)field << 3 | 5);
            _bytes.Write(BitConverter.GetBytes(value));
            return this;
        }

        public Message Bytes(int field, ReadOnlySpan<byte> value)
        {
            Varint((ulong)field << 3 | 2);
            Varint((ulong)value.Length);
            _bytes.Write(value);
            return this;
        }

        public Message Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

        public Message Nested(int field, Message value) => Bytes(field, value.ToArray());

        public byte[] ToArray() => _bytes.ToArray();

        private void Varint(ulong value)
        {
            for (; value >= 0x80; value >>= 7) _bytes.WriteByte((byte)(value | 0x80));
            _bytes.WriteByte((byte)value);
        }
    }
}
