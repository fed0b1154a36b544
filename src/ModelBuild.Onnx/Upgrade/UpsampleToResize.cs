namespace ModelBuild.Onnx;

/// <summary>Upsample is withdrawn in 10: Resize 10 does the same with the same inputs.</summary>
internal static class UpsampleToResize
{
    public static void Apply(Node node, InferenceResult _) => node.OpType = "Resize";
}
