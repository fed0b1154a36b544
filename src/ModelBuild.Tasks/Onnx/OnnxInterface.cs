namespace ModelBuild.Tasks;

/// <summary>What an .onnx file declares about itself.</summary>
/// <param name="Documentation">The doc string of the model, else of its graph; null where both are empty.</param>
/// <param name="Inputs">Inputs that a caller feeds: without those that have an initializer.</param>
/// <param name="Outputs">Outputs.</param>
/// <param name="ExternalFiles">Files that hold weights, as the model names them: relative to its folder.</param>
internal sealed record OnnxInterface(
    string? Documentation,
    IReadOnlyList<OnnxValue> Inputs,
    IReadOnlyList<OnnxValue> Outputs,
    IReadOnlyCollection<string> ExternalFiles)
{
    /// <summary>The labels of the classifier that the model ends in, or null.</summary>
    public OnnxLabels? Labels { get; init; }
}

/// <summary>The labels that a classifier's ZipMap states.</summary>
/// <param name="Names">The labels by class.</param>
/// <param name="AreIntegers">Whether they are 64-bit integers instead of strings.</param>
internal sealed record OnnxLabels(IReadOnlyList<string> Names, bool AreIntegers);

/// <summary>A declared input or output.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">What kind of value it is; only tensors have the rest.</param>
/// <param name="ElementType">The element type as <c>TensorProto.DataType</c> numbers it.</param>
/// <param name="Dimensions">The dimensions, or null where the rank is not declared.</param>
internal sealed record OnnxValue(string Name, OnnxValueKind Kind, int ElementType, IReadOnlyList<OnnxDimension>? Dimensions);

/// <summary>A declared dimension.</summary>
/// <param name="Size">The size, or -1 where it is not constant.</param>
/// <param name="Name">The name, or null where it has none.</param>
internal readonly record struct OnnxDimension(long Size, string? Name);

/// <summary>The kinds of values that <c>TypeProto</c> tells apart.</summary>
internal enum OnnxValueKind
{
    Untyped,
    Tensor,
    Sequence,
    Map,
    Optional,
    SparseTensor,
    Opaque,
}
