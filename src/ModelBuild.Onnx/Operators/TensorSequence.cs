using System.Collections.Immutable;

namespace ModelBuild.Onnx;

/// <summary>A value of a sequence type: tensors of one element type.</summary>
/// <param name="ElementType">Type of the elements of the tensors.</param>
/// <param name="Items">The tensors; null where the sequence holds optionals and one is empty.</param>
public sealed record TensorSequence(ElementType ElementType, ImmutableArray<Tensor?> Items);
