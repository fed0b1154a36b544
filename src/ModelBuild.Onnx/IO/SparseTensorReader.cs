using System.Collections.Immutable;
using ModelBuild.Onnx.Proto;

namespace ModelBuild.Onnx;

/// <summary>Checks sparse tensors, which are carried through as read, and spreads them out where their elements are needed.</summary>
internal static class SparseTensorReader
{
    /// <summary>The largest dense size, in elements, that a sparse tensor is spread out to.</summary>
    private const long MaxDenseLength = 1 << 28;

    public static SparseTensorProto Check(SparseTensorProto proto)
    {
        if (proto.Values is null || (proto.Indices is null && proto.Values.Dims.Any(d => d != 0)))
            throw new OnnxException(OnnxErrors.Tensor, $"the sparse tensor '{proto.Values?.Name}' has no values or no indices");
        return proto;
    }

    /// <summary>The tensor with its zeros.</summary>
    public static Tensor ToDense(SparseTensorProto proto)
    {
        using var none = new ExternalData(null);
        var where = $"sparse tensor '{proto.Values.Name}'";
        var values = TensorReader.Read(proto.Values, none, where);
        ImmutableArray<long> shape = [.. proto.Dims];
        var bits = ElementTypes.BitsOf(values.ElementType);
        long length;
        try
        {
            length = Tensor.Count(shape.AsSpan());
        }
        catch (ArgumentException e)
        {
            throw new OnnxException(OnnxErrors.Tensor, $"{where}: {e.Message}", null, e);
        }
        if (bits < 8 || length > MaxDenseLength)
            throw new OnnxException(OnnxErrors.Tensor, $"{where} of {values.ElementType} with {length} elements cannot be made dense");
        var size = bits / 8;
        var data = new byte[checked((int)(length * size))];
        if (values.Length == 0)
            return new(values.ElementType, shape, data);
        var indices = TensorReader.Read(proto.Indices, none, where);
        var positions = indices.Span<long>();
        var linear = indices.Rank == 1;
        if (indices.Length != values.Length * (linear ? 1 : shape.Length))
            throw new OnnxException(OnnxErrors.Tensor, $"{where}: {indices.Length} indices do not fit {values.Length} values");
        for (var i = 0; i < values.Length; i++)
        {
            long at = 0;
            if (linear)
                at = positions[i];
            else
                for (var d = 0; d < shape.Length; d++)
                {
                    var p = positions[i * shape.Length + d];
                    at = p >= 0 && p < shape[d] && at >= 0 ? at * shape[d] + p : -1;
                }
            if (at < 0 || at >= length)
                throw new OnnxException(OnnxErrors.Tensor, $"{where}: an index lies outside the shape [{string.Join(',', shape)}]");
            values.Bytes.Span.Slice(i * size, size).CopyTo(data.AsSpan((int)at * size));
        }
        return new(values.ElementType, shape, data);
    }
}
