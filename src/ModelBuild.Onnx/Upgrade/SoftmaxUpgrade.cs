namespace ModelBuild.Onnx;

/// <summary>
/// Softmax, LogSoftmax and Hardmax 13 work along one axis; before, all dimensions from the axis on were one. Where the axis is the last these are the same;
/// otherwise the input is flattened, and the result brought back to its shape.
/// </summary>
internal static class SoftmaxUpgrade
{
    public static string? Refuse(Node node, InferenceResult facts) => facts.TypeOf(node.Output) is { HasRank: true } ? null
        : "the number of dimensions of its input is not known";

    public static void Apply(Node node, InferenceResult facts)
    {
        var input = node.Input(0)!;
        var type = facts.TypeOf(node.Output)!;
        var rank = type.Rank;
        var axis = node.Int("axis", 1) is var a && a < 0 ? a + rank : a;
        if (axis == rank - 1)
        {
            node.Attributes["axis"] = -1;
            return;
        }
        var flatten = Attributes.Before(node, 0, "Flatten");
        flatten.Attributes["axis"] = axis;
        node.Attributes["axis"] = -1;
        Value shape;
        if (type.StaticShape is { } known)
            shape = Attributes.Constant(node, "shape", Tensor.Vector(known));
        else
        {
            var measured = node.Graph.AddNode("Shape", [input], [$"{input.Name}/shape"], before: node);
            measured.Sources = node.Sources;
            shape = measured.Output;
        }
        Attributes.After(node, "Reshape", shape);
    }
}
