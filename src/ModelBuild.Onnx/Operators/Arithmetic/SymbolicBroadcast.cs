namespace ModelBuild.Onnx.Operators;

/// <summary>Arithmetic on integer tensors whose elements are known symbolically.</summary>
internal static class SymbolicBroadcast
{
    public static void Set(InferenceContext context, SymbolicTensor a, SymbolicTensor b, Func<Dimension, Dimension, Dimension> f)
    {
        var shape = Indexing.BroadcastShape(a.Shape, b.Shape);
        if (Tensor.Count(shape.AsSpan()) <= SymbolicTensor.MaxLength)
            context.SetElements(0, new(shape, [.. Elementwise.Map<Dimension, Dimension>([.. a.Elements], a.Shape, [.. b.Elements], b.Shape, shape, f)]));
    }
}
