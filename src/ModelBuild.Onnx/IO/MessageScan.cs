using Google.Protobuf;
using Google.Protobuf.Reflection;
using ModelBuild.Onnx.Proto;

namespace ModelBuild.Onnx;

/// <summary>
/// Walks the wire format of a model without making objects: which files it names, and how much memory its messages will take. A message of no bytes becomes an
/// object of hundreds, so that a small file could otherwise fill the memory of a machine. Data of tensors is stepped over.
/// </summary>
internal sealed class MessageScan
{
    /// <summary>The most objects that a model may become, tensor data apart: each message, text and list of a message counts one. At about 40 bytes each that
    /// is 0.7 GB.</summary>
    public const long MaxObjects = 1 << 24;

    // Protobuf's own limit; what is nested deeper is refused by the parser.
    private const int MaxDepth = 100;
    private const long ObjectsOfUnknownField = 4;
    private static readonly Dictionary<MessageDescriptor, Shape> Shapes = [];

    private MessageScan()
    {
    }

    /// <summary>How many objects the messages become; beyond <see cref="MaxObjects"/> counting ends.</summary>
    public long Objects { get; private set; }

    /// <summary>The files that tensors name, as they name them.</summary>
    public SortedSet<string> Locations { get; } = new(StringComparer.Ordinal);

    /// <summary>Walks a ModelProto. What is malformed ends its message; the parser tells about it.</summary>
    public static MessageScan Of(ReadOnlySpan<byte> model)
    {
        var scan = new MessageScan();
        scan.Message(model, ShapeOf(ModelProto.Descriptor), 0);
        return scan;
    }

    private void Message(ReadOnlySpan<byte> bytes, Shape shape, int depth)
    {
        Objects += shape.Objects;
        while (!bytes.IsEmpty && Objects <= MaxObjects)
        {
            if (!TryVarint(ref bytes, out var tag))
                return;
            var field = tag >> 3 < (ulong)shape.Fields.Length ? shape.Fields[(int)(tag >> 3)] : null;
            if (field is null)
                Objects += ObjectsOfUnknownField;
            ulong length = 0;
            switch (tag & 7)
            {
                case 0 when TryVarint(ref bytes, out _):
                case 3 or 4:
                    break;
                case 1:
                    length = 8;
                    break;
                case 2 when TryVarint(ref bytes, out length):
                    break;
                case 5:
                    length = 4;
                    break;
                default:
                    return;
            }
            if (length > (ulong)bytes.Length)
                return;
            var content = bytes[..(int)length];
            bytes = bytes[(int)length..];
            if ((tag & 7) != 2 || field is null)
                continue;
            if (field.FieldType is FieldType.String or FieldType.Bytes)
                Objects++;
            else if (field.FieldType == FieldType.Message && depth < MaxDepth)
            {
                if (field.ContainingType == TensorProto.Descriptor && field.FieldNumber == TensorProto.ExternalDataFieldNumber)
                    Location(content);
                Message(content, ShapeOf(field.MessageType), depth + 1);
            }
        }
    }

    private void Location(ReadOnlySpan<byte> bytes)
    {
        try
        {
            if (StringStringEntryProto.Parser.ParseFrom(bytes) is { Key: "location", Value.Length: > 0 } entry)
                Locations.Add(entry.Value);
        }
        catch (InvalidProtocolBufferException)
        {
            // The parser of the whole model tells.
        }
    }

    private static bool TryVarint(ref ReadOnlySpan<byte> bytes, out ulong value)
    {
        value = 0;
        for (var i = 0; i < bytes.Length && i < 10; i++)
        {
            value |= (ulong)(bytes[i] & 0x7F) << (7 * i);
            if (bytes[i] >= 0x80)
                continue;
            bytes = bytes[(i + 1)..];
            return true;
        }
        return false;
    }

    private static Shape ShapeOf(MessageDescriptor type)
    {
        lock (Shapes)
        {
            if (Shapes.TryGetValue(type, out var known))
                return known;
            var fields = type.Fields.InDeclarationOrder();
            var shape = new Shape(1 + fields.Count(f => f.IsRepeated), new FieldDescriptor?[fields.Max(f => f.FieldNumber) + 1]);
            foreach (var field in fields)
                shape.Fields[field.FieldNumber] = field;
            Shapes.Add(type, shape);
            return shape;
        }
    }

    /// <summary>A message type: the objects that one message is, and its fields by number.</summary>
    private sealed record Shape(long Objects, FieldDescriptor?[] Fields);
}
