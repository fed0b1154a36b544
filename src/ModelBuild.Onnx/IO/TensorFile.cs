using Google.Protobuf;
using ModelBuild.Onnx.Proto;

namespace ModelBuild.Onnx;

/// <summary>Reads single tensors: files that hold one TensorProto, as ONNX test data does (<c>input_0.pb</c>).</summary>
public static class TensorFile
{
    /// <summary>Reads a tensor.</summary>
    /// <exception cref="OnnxException">The file is missing, corrupt, or its data does not fit its type and shape.</exception>
    public static Tensor Read(string path)
    {
        try
        {
            using var external = new ExternalData(Path.GetDirectoryName(Path.GetFullPath(path)));
            return TensorReader.Read(TensorProto.Parser.ParseFrom(File.ReadAllBytes(path)), external, $"'{path}'");
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new OnnxException(OnnxErrors.Corrupt, $"'{path}' is truncated or corrupt: {e.Message}", null, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OnnxException(OnnxErrors.FileNotReadable, $"'{path}' cannot be opened: {e.Message}", null, e);
        }
    }
}
