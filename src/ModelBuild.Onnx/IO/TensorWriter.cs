using Google.Protobuf;
using ModelBuild.Onnx.Proto;

namespace ModelBuild.Onnx;

/// <summary>Turns tensors into messages: raw data, strings, or a place in another file.</summary>
internal static class TensorWriter
{
    /// <summary>The message of a tensor.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="rest">What else was read about it, or null.</param>
    /// <param name="data">Where large tensors go, or null to keep the data in the message.</param>
    public static TensorProto Write(Tensor tensor, object? rest, ExternalDataWriter? data)
    {
        var proto = (rest as TensorProto)?.Clone() ?? new();
        proto.DataType = (int)tensor.ElementType;
        proto.Dims.AddRange(tensor.Shape);
        if (tensor.ElementType == ElementType.String)
            foreach (var s in tensor.Strings)
                proto.StringData.Add(ByteString.CopyFromUtf8(s));
        else if (data is null || !data.TryWrite(tensor, proto))
            proto.RawData = UnsafeByteOperations.UnsafeWrap(tensor.Bytes);
        return proto;
    }
}
