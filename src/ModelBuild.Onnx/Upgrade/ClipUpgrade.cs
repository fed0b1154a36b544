namespace ModelBuild.Onnx;

/// <summary>Clip 11: the ends are inputs of the tensor's type; absent ones mean no limit, where they meant the largest finite float.</summary>
internal static class ClipUpgrade
{
    public static void Apply(Node node, InferenceResult facts)
    {
        var type = facts.TypeOf(node.Output)?.ElementType is { } t && ElementTypes.IsFloat(t) ? t : ElementType.Float;
        Attributes.ToInput(node, "min", 1, End);
        Attributes.ToInput(node, "max", 2, End);

        Tensor End(AttributeValue a) => Numbers.Of(type, [], [(double)(float)a.Value]);
    }
}
