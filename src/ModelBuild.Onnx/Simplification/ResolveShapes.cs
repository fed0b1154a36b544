namespace ModelBuild.Onnx.Simplification;

/// <summary>Gives Reshape and Expand constant shapes where inference knows the result, so that the nodes that compute them die.</summary>
internal sealed class ResolveShapes : GraphPass
{
    protected override bool Apply(Node node, PassContext context)
    {
        if (node.Input(1) is not { } argument || context.Constant(argument) is not null || context.Type(node.Output) is not { HasRank: true } type)
            return false;
        var shape = node.OpType switch
        {
            "Reshape" when node.Domain.Length == 0 => Reshape(node, type, context),
            "Expand" when node.Domain.Length == 0 => type.StaticShape,
            _ => null,
        };
        if (shape is null)
            return false;
        node.SetInput(1, node.Graph.AddInitializer($"{node.DisplayName}/shape", Tensor.Vector(shape)));
        return true;
    }

    private static long[]? Reshape(Node node, TensorType type, PassContext context)
    {
        if (PassContext.ReshapeArgument(type.Shape) is { } simple)
            return simple;
        // Dimensions that stay where they are can be copied.
        if (node.Int("allowzero") != 0 || context.Type(node.Input(0)!) is not { HasRank: true } input)
            return null;
        var shape = new long[type.Rank];
        var open = 0;
        for (var i = 0; i < shape.Length; i++)
        {
            var d = type.Shape[i];
            if (d.IsConstant && d.Value != 0)
                shape[i] = d.Value;
            else if (!d.IsUnknown && i < input.Rank && input.Shape[i] == d)
                shape[i] = 0;
            else
            {
                shape[i] = -1;
                open++;
            }
        }
        return open <= 1 ? shape : null;
    }
}
