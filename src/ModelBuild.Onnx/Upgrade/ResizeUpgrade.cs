namespace ModelBuild.Onnx;

/// <summary>Resize 11: a region input before the scales; the coordinates that Resize 10 used are called asymmetric, and nearest rounds down.</summary>
internal static class ResizeUpgrade
{
    /// <summary>Which neighbour counts was not stated for making smaller, and runtimes round up there.</summary>
    public static string? Refuse(Node node, InferenceResult _)
    {
        if (node.String("mode", "nearest") != "nearest")
            return null;
        var scales = node.Floats("scales") ?? (node.Input(1)?.Constant is { } c ? [.. Numbers.Doubles(c).Select(static v => (float)v)] : null);
        return scales is not null && scales.All(static s => s >= 1) ? null
            : "it may make its input smaller, for which operator set 10 does not state the rounding";
    }

    public static void Apply(Node node, InferenceResult facts)
    {
        var scales = node.Input(1);
        var type = facts.TypeOf(node.Output)?.ElementType is { } t && t == ElementType.Double ? t : ElementType.Float;
        node.SetInput(1, Attributes.Constant(node, "roi", Numbers.Of(type, [0], Array.Empty<double>())));
        node.SetInput(2, scales);
        node.Attributes["coordinate_transformation_mode"] = "asymmetric";
        node.Attributes["nearest_mode"] = "floor";
    }
}
