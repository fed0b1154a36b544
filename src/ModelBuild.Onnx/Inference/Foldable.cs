namespace ModelBuild.Onnx;

/// <summary>Which initializers are constants.</summary>
internal static class Foldable
{
    /// <summary>
    /// The data of an initializer that no caller can replace. Up to IR version 3 every initializer had to be listed as an input, so there the listing
    /// means nothing; later it means a default that a caller may override.
    /// </summary>
    public static Tensor? ConstantOf(Value value) =>
        value.Constant is { } data && (value.Graph.Model.IrVersion < 4 || !value.IsGraphInput) ? data : null;
}
