namespace ModelBuild.Onnx;

/// <summary>
/// The mask of Dropout outside training, where something reads it: up to operator set 11 it said what was dropped (nothing), in the tensor's type before 10;
/// from 12 on it says what was kept (all).
/// </summary>
internal static class DropoutUpgrade
{
    public static string? RefuseType(Node node, InferenceResult facts) =>
        IsMaskRead(node) && facts.TypeOf(node.Output) is not { ElementType: not ElementType.Undefined } ? "the type of its mask is not known" : null;

    /// <summary>Dropout 10: the mask is boolean.</summary>
    public static void ApplyType(Node node, InferenceResult facts)
    {
        if (!IsMaskRead(node))
            return;
        var type = facts.TypeOf(node.Output)!.ElementType;
        Attributes.After(node, node.Outputs[1], "Cast").Attributes["to"] = (long)type;
        node.Outputs[1].Type = null;
    }

    /// <summary>Dropout 12: the ratio is an input, and the mask says the opposite.</summary>
    public static void Apply(Node node, InferenceResult _)
    {
        Attributes.ToInput(node, "ratio", 1, static a => Tensor.Scalar((float)a.Value));
        if (IsMaskRead(node))
            Attributes.After(node, node.Outputs[1], "Not");
    }

    private static bool IsMaskRead(Node node) => node.Outputs.Count > 1 && node.Outputs[1] is { Name.Length: > 0, IsUnused: false };
}
