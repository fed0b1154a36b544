namespace ModelBuild.Onnx.Simplification;

/// <summary>Leaves out initial states of RNN, GRU and LSTM that are zeros, which is what an omitted state means.</summary>
internal sealed class RemoveZeroStates : GraphPass
{
    protected override bool Apply(Node node, PassContext context)
    {
        if (node.Domain.Length != 0 || node.OpType is not ("RNN" or "GRU" or "LSTM"))
            return false;
        var changed = false;
        for (var i = 5; i <= 6; i++)
            if (node.Input(i) is { } state && IsZero(state, context))
            {
                node.SetInput(i, null);
                changed = true;
            }
        return changed;
    }

    /// <summary>Whether a value holds nothing but zeros, whatever its shape.</summary>
    private static bool IsZero(Value value, PassContext context, int depth = 0)
    {
        if (depth > 16)
            return false;
        if (context.Constant(value) is { } constant)
            return ElementTypes.IsFloat(constant.ElementType) && Numbers.Doubles(constant).All(static v => v == 0);
        return value.Producer switch
        {
            { OpType: "ConstantOfShape", Domain: "" } fill => fill.Attributes.GetValueOrDefault("value")?.Value is not Tensor t || Numbers.Doubles(t)
                .All(static v => v == 0),
            { OpType: "Expand" or "Reshape" or "Transpose" or "Unsqueeze" or "Squeeze" or "Slice" or "Tile" or "Identity" or "Gather" or "Split",
                Domain: "" } moved => moved.Input(0) is { } source && IsZero(source, context, depth + 1),
            _ => false,
        };
    }
}
