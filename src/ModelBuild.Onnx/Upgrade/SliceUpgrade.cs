namespace ModelBuild.Onnx;

/// <summary>Slice 10: ranges are inputs.</summary>
internal static class SliceUpgrade
{
    public static void Apply(Node node, InferenceResult _)
    {
        Attributes.IntsToInput(node, "starts", 1);
        Attributes.IntsToInput(node, "ends", 2);
        Attributes.IntsToInput(node, "axes", 3);
    }
}
