using Google.Protobuf;
using ModelBuild.Onnx.Proto;

namespace ModelBuild.Onnx.Tests;

/// <summary>SequenceProto of onnx-data.proto: name 1, element type 2, tensors 3.</summary>
internal sealed record SequenceFile(IReadOnlyList<TensorProto> Tensors)
{
    public static SequenceFile Parse(byte[] bytes)
    {
        var input = new CodedInputStream(bytes);
        var tensors = new List<TensorProto>();
        while (input.ReadTag() is not 0 and var tag)
            if (tag == (3 << 3 | 2))
                tensors.Add(TensorProto.Parser.ParseFrom(input.ReadBytes()));
            else
                input.SkipLastField();
        return new(tensors);
    }
}

/// <summary>OptionalProto of onnx-data.proto: name 1, element type 2, tensor 3, sequence 5.</summary>
internal sealed record OptionalFile(TensorProto? Tensor, SequenceFile? Sequence)
{
    public static OptionalFile Parse(byte[] bytes)
    {
        var input = new CodedInputStream(bytes);
        TensorProto? tensor = null;
        SequenceFile? sequence = null;
        var type = 0;
        while (input.ReadTag() is not 0 and var tag)
            switch (tag)
            {
                case 2 << 3:
                    type = input.ReadInt32();
                    break;
                case 3 << 3 | 2:
                    tensor = TensorProto.Parser.ParseFrom(input.ReadBytes());
                    break;
                case 5 << 3 | 2:
                    sequence = SequenceFile.Parse(input.ReadBytes().ToByteArray());
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        // An optional without a type holds nothing.
        return type == 0 ? new(null, null) : new(tensor, sequence);
    }
}
