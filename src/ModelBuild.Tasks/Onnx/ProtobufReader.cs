using System.Text;

namespace ModelBuild.Tasks;

/// <summary>
/// Reads the protobuf wire format from a stream, skipping what nobody asks for by seeking. Every length is checked against the message that
/// holds it, so that a hostile file costs no more than its size.
/// </summary>
internal sealed class ProtobufReader(Stream stream)
{
    private const int Varint = 0, Fixed64 = 1, LengthDelimited = 2, Fixed32 = 5;

    private readonly byte[] _buffer = new byte[4096];
    private int _buffered;
    private int _next;
    // Where the message that is being read ends.
    private long _end = stream.Length;
    private int _wireType;

    private long Position => stream.Position - _buffered + _next;

    /// <summary>Moves to the next field of the current message.</summary>
    /// <returns>Its number, or 0 at the end of the message.</returns>
    public int NextField()
    {
        if (Position == _end)
            return 0;
        var tag = ReadVarint();
        _wireType = (int)(tag & 7);
        var field = tag >> 3;
        if (field is 0 or > 536870911 || _wireType is not (Varint or Fixed64 or LengthDelimited or Fixed32))
            throw Corrupt("a field has an impossible tag");
        return (int)field;
    }

    /// <summary>Reads the field as an integer.</summary>
    public long Integer()
    {
        Expect(Varint);
        return unchecked((long)ReadVarint());
    }

    /// <summary>Reads the field as one integer, or as the integers that are packed into it.</summary>
    public IReadOnlyList<long> Integers()
    {
        if (_wireType == Varint)
            return [Integer()];
        var values = new List<long>();
        Message(() =>
        {
            while (Position < _end)
                values.Add(unchecked((long)ReadVarint()));
        });
        return values;
    }

    /// <summary>Reads the field as UTF-8 text.</summary>
    /// <param name="maxLength">A longer text is cut here, or refused where <paramref name="cut"/> is false.</param>
    /// <param name="cut">Whether a longer text is cut.</param>
    public string Text(int maxLength, bool cut = false)
    {
        var length = Length();
        if (length > maxLength && !cut)
            throw Corrupt($"a name is {length} bytes long");
        var bytes = new byte[Math.Min(length, maxLength)];
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] = ReadByte();
        Skip(length - bytes.Length);
        return Encoding.UTF8.GetString(bytes);
    }

    /// <summary>Reads the field as a message.</summary>
    /// <param name="read">Reads its fields up to the end that <see cref="NextField"/> tells.</param>
    public void Message(Action read)
    {
        var length = Length();
        var outer = _end;
        _end = Position + length;
        read();
        _end = outer;
    }

    /// <summary>Passes over the field.</summary>
    public void Skip()
    {
        switch (_wireType)
        {
            case Varint:
                ReadVarint();
                break;
            case Fixed64:
                Skip(8);
                break;
            case Fixed32:
                Skip(4);
                break;
            default:
                Skip(Length());
                break;
        }
    }

    private void Expect(int wireType)
    {
        if (_wireType != wireType)
            throw Corrupt("a field has another type than ONNX gives it");
    }

    private long Length()
    {
        Expect(LengthDelimited);
        var length = ReadVarint();
        if (length > (ulong)(_end - Position))
            throw Corrupt($"a field of {length} bytes reaches beyond its end");
        return (long)length;
    }

    private ulong ReadVarint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var b = ReadByte();
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
                return value;
        }
        throw Corrupt("a number is longer than 64 bits");
    }

    private byte ReadByte()
    {
        if (Position >= _end)
            throw Corrupt("it ends in the middle of a field");
        if (_next == _buffered)
        {
            _buffered = stream.Read(_buffer, 0, _buffer.Length);
            _next = 0;
            if (_buffered == 0)
                throw Corrupt("it ends in the middle of a field");
        }
        return _buffer[_next++];
    }

    private void Skip(long count)
    {
        if (count > _end - Position)
            throw Corrupt("it ends in the middle of a field");
        if (count <= _buffered - _next)
        {
            _next += (int)count;
            return;
        }
        stream.Seek(count - (_buffered - _next), SeekOrigin.Current);
        _buffered = _next = 0;
    }

    private static InvalidDataException Corrupt(string what) => new(what);
}
