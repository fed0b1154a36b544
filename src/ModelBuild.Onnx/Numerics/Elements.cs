using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace ModelBuild.Onnx;

/// <summary>Moves elements of any type, strings and packed ones included, without looking at their values.</summary>
internal static class Elements
{
    /// <summary>A tensor whose element i is element <c>positions[i]</c> of <paramref name="source"/>, or <paramref name="fill"/> where that is
    /// negative.</summary>
    /// <param name="source">Where elements come from.</param>
    /// <param name="shape">The new shape, with as many elements as there are positions.</param>
    /// <param name="positions">One position per element.</param>
    /// <param name="fill">One element of the same type; zero where it is null.</param>
    public static Tensor Select(Tensor source, ImmutableArray<long> shape, ReadOnlySpan<int> positions, Tensor? fill = null)
    {
        if (source.ElementType == ElementType.String)
        {
            var strings = new string[positions.Length];
            for (var i = 0; i < strings.Length; i++)
                strings[i] = positions[i] >= 0 ? source.Strings[positions[i]] : fill is null ? "" : fill.Strings[0];
            return new(shape, strings);
        }
        var bits = ElementTypes.BitsOf(source.ElementType);
        if (bits < 8)
            return Numbers.FromPatterns(source.ElementType, shape,
                Select<byte>(Numbers.Patterns(source), positions, fill is null ? (byte)0 : Numbers.Patterns(fill)[0]));
        var bytes = source.Bytes.Span;
        var one = fill is null ? default : fill.Bytes.Span;
        return bits switch
        {
            8 => new(source.ElementType, shape, Select(bytes, positions, one.IsEmpty ? default : one[0])),
            16 => Typed<ushort>(bytes, positions, one),
            32 => Typed<uint>(bytes, positions, one),
            64 => Typed<ulong>(bytes, positions, one),
            _ => Typed<UInt128>(bytes, positions, one),
        };

        Tensor Typed<T>(ReadOnlySpan<byte> data, ReadOnlySpan<int> at, ReadOnlySpan<byte> value) where T : unmanaged
        {
            var selected = Select(MemoryMarshal.Cast<byte, T>(data), at, value.IsEmpty ? default : MemoryMarshal.Read<T>(value));
            return new(source.ElementType, shape, MemoryMarshal.AsBytes(selected.AsSpan()).ToArray());
        }
    }

    /// <summary>As many times <paramref name="value"/>, a tensor of one element, as the shape has elements.</summary>
    public static Tensor Fill(Tensor value, ImmutableArray<long> shape) => Select(value, shape, new int[Indexing.Length(shape)]);

    /// <summary>Several tensors of one type as one, element after element.</summary>
    public static Tensor Chain(IReadOnlyList<Tensor> parts, ElementType type)
    {
        var length = parts.Sum(p => p.Length);
        ImmutableArray<long> shape = [length];
        if (type == ElementType.String)
            return new(shape, [.. parts.SelectMany(p => p.Strings.ToArray())]);
        if (ElementTypes.BitsOf(type) < 8)
            return Numbers.FromPatterns(type, shape, [.. parts.SelectMany(Numbers.Patterns)]);
        var bytes = new byte[checked((int)ElementTypes.ByteSize(type, length))];
        var at = 0;
        foreach (var part in parts)
        {
            part.Bytes.Span.CopyTo(bytes.AsSpan(at));
            at += part.Bytes.Length;
        }
        return new(type, shape, bytes);
    }

    /// <summary>The source with the elements at <paramref name="positions"/> replaced by those of <paramref name="updates"/>, in order.</summary>
    public static Tensor Scatter(Tensor source, ReadOnlySpan<int> positions, Tensor updates)
    {
        // Positions in the chain of both tensors.
        var from = new int[source.Length];
        for (var i = 0; i < from.Length; i++)
            from[i] = i;
        for (var i = 0; i < positions.Length; i++)
            from[positions[i]] = (int)source.Length + i;
        return Select(Chain([source, updates], source.ElementType), source.Shape, from);
    }

    private static T[] Select<T>(ReadOnlySpan<T> data, ReadOnlySpan<int> positions, T fill)
    {
        var result = new T[positions.Length];
        for (var i = 0; i < result.Length; i++)
            result[i] = positions[i] >= 0 ? data[positions[i]] : fill;
        return result;
    }
}
