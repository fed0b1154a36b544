namespace ModelBuild.Shared;

/// <summary>An input or output as the model declares it.</summary>
/// <param name="Name">The name in the model file.</param>
/// <param name="Type">The element type as docs/formats.md spells it: <c>float</c>, <c>int64</c>, ...</param>
/// <param name="Dimensions">The dimensions, outermost first; null where an output does not even declare its rank.</param>
internal sealed record TensorSignature(string Name, string Type, EquatableArray<SignatureDimension>? Dimensions);
