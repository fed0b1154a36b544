namespace ModelBuild.Onnx;

/// <summary>Pad 11: amounts and value are inputs, the value of the tensor's type.</summary>
internal static class PadUpgrade
{
    public static void Apply(Node node, InferenceResult facts)
    {
        var type = facts.TypeOf(node.Output)?.ElementType is { } t && t != ElementType.Undefined ? t : ElementType.Float;
        Attributes.IntsToInput(node, "pads", 1);
        Attributes.ToInput(node, "value", 2, a => Numbers.Of(type, [], [(double)(float)a.Value]));
    }
}
