using System.Collections.Immutable;

namespace ModelBuild.Onnx;

/// <summary>The kinds of attribute, numbered as <c>AttributeProto.AttributeType</c> numbers them.</summary>
public enum AttributeKind
{
    /// <summary>Not stated.</summary>
    Undefined = 0,
    /// <summary>A float.</summary>
    Float = 1,
    /// <summary>A 64-bit integer.</summary>
    Int = 2,
    /// <summary>Bytes, mostly UTF-8.</summary>
    String = 3,
    /// <summary>A tensor.</summary>
    Tensor = 4,
    /// <summary>A subgraph.</summary>
    Graph = 5,
    /// <summary>Floats.</summary>
    Floats = 6,
    /// <summary>64-bit integers.</summary>
    Ints = 7,
    /// <summary>Byte strings.</summary>
    Strings = 8,
    /// <summary>Tensors.</summary>
    Tensors = 9,
    /// <summary>Subgraphs.</summary>
    Graphs = 10,
    /// <summary>A sparse tensor.</summary>
    SparseTensor = 11,
    /// <summary>Sparse tensors.</summary>
    SparseTensors = 12,
    /// <summary>A type.</summary>
    TypeProto = 13,
    /// <summary>Types.</summary>
    TypeProtos = 14,
}

/// <summary>The value of an attribute of a node. Immutable, except that a subgraph inside may be edited.</summary>
/// <param name="Kind">What <paramref name="Value"/> is.</param>
/// <param name="Value">
/// <see cref="float"/>, <see cref="long"/>, <see cref="byte"/>[] (String), <see cref="Onnx.Tensor"/>, <see cref="Onnx.Graph"/>, immutable arrays of these,
/// or the message as read for the kinds that are only carried through.
/// </param>
public sealed record AttributeValue(AttributeKind Kind, object Value)
{
    /// <summary>Where the node is part of a local function: the name of the function's attribute that gives the value.</summary>
    public string? ReferenceName { get; init; }

    /// <summary>Documentation as read.</summary>
    public string DocString { get; init; } = "";

    /// <summary>What else was read: names and documentation of tensors, fields that this library does not know; or null.</summary>
    internal object? Carried { get; init; }

    /// <summary>An integer.</summary>
    public static implicit operator AttributeValue(long value) => new(AttributeKind.Int, value);

    /// <summary>A float.</summary>
    public static implicit operator AttributeValue(float value) => new(AttributeKind.Float, value);

    /// <summary>A string.</summary>
    public static implicit operator AttributeValue(string value) => new(AttributeKind.String, System.Text.Encoding.UTF8.GetBytes(value));

    /// <summary>Integers.</summary>
    public static implicit operator AttributeValue(long[] value) => new(AttributeKind.Ints, value.ToImmutableArray());

    /// <summary>Floats.</summary>
    public static implicit operator AttributeValue(float[] value) => new(AttributeKind.Floats, value.ToImmutableArray());

    /// <summary>Strings.</summary>
    public static implicit operator AttributeValue(string[] value) =>
        new(AttributeKind.Strings, value.Select(System.Text.Encoding.UTF8.GetBytes).ToImmutableArray());

    /// <summary>A tensor.</summary>
    public static implicit operator AttributeValue(Tensor value) => new(AttributeKind.Tensor, value);

    /// <summary>A subgraph.</summary>
    public static implicit operator AttributeValue(Graph value) => new(AttributeKind.Graph, value);

    /// <summary>The subgraphs inside, in order.</summary>
    public IEnumerable<Graph> Graphs => Value switch
    {
        Graph g => [g],
        ImmutableArray<Graph> gs => gs,
        _ => [],
    };

    /// <summary>The value as text, for messages.</summary>
    public override string ToString() => Value switch
    {
        byte[] s => System.Text.Encoding.UTF8.GetString(s),
        ImmutableArray<long> xs => $"[{string.Join(',', xs)}]",
        ImmutableArray<float> xs => $"[{string.Join(',', xs)}]",
        IFormattable f => f.ToString(null, System.Globalization.CultureInfo.InvariantCulture),
        _ => Value.ToString() ?? "",
    };
}
