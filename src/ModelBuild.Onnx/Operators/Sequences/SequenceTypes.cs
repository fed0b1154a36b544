using ModelBuild.Onnx.Proto;

namespace ModelBuild.Onnx.Operators;

/// <summary>Types of sequences and optionals during inference.</summary>
internal static class SequenceTypes
{
    /// <summary>A sequence of tensors.</summary>
    public static TypeProto Of(TensorType element) => new() { SequenceType = new() { ElemType = TypeConversion.ToProto(element with { Shape = default }) } };

    /// <summary>The element type of a sequence, or undefined.</summary>
    public static ElementType ElementOf(TypeProto? type) => (ElementType)(type?.SequenceType?.ElemType?.TensorType?.ElemType ?? 0);
}
