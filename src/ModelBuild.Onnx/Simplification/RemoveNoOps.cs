using ModelBuild.Onnx.Operators;

namespace ModelBuild.Onnx.Simplification;

/// <summary>Removes nodes whose output is their input.</summary>
internal sealed class RemoveNoOps : GraphPass
{
    protected override bool Apply(Node node, PassContext context)
    {
        if (node.Domain.Length != 0 || node.Outputs.Skip(1).Any(o => o.Name.Length > 0 && !o.IsUnused) || node.Outputs.Count == 0)
            return false;
        return Source(node, context) is { } source && PassContext.Bypass(node, source);
    }

    private static Value? Source(Node node, PassContext context)
    {
        if (node.Input(0) is not { } input)
            return null;
        var (before, after) = (context.Type(input), context.Type(node.Output));
        var same = PassContext.SameShape(before, after);
        switch (node.OpType)
        {
            case "Identity":
                return input;
            case "Dropout":
                return node.Input(2) is null || context.Constant(node.Input(2)) is { } training && Numbers.Integers(training)[0] == 0 ? input : null;
            case "Cast":
                return before is not null && before.ElementType == (ElementType)node.Int("to") ? input : null;
            // These keep the order of elements: equal shapes are equal tensors.
            case "Reshape" or "Flatten" or "Squeeze" or "Unsqueeze" or "Expand" or "Tile":
                return same ? input : null;
            case "Transpose":
                return before is { HasRank: true } && Transpose.Order(node, before.Rank) is var order
                    && (order.SequenceEqual(Enumerable.Range(0, order.Length)) || same && before.IsStatic && before.Shape.Count(static d => d.Value != 1) <= 1)
                        ? input : null;
            // Nothing is cut off, and nothing is turned around.
            case "Slice":
                return same && Steps(node, context)?.All(static s => s > 0) == true ? input : null;
            case "Pad":
                return same && Pads(node, context)?.All(static p => p == 0) == true ? input : null;
            case "Concat" or "Sum" or "Max" or "Min" or "Mean":
                return node.Inputs.Count == 1 ? input : null;
            case "Split":
                return node.Outputs.Count == 1 ? input : null;
            case "Resize":
                return same && node.Int("antialias") == 0 && Scales(node, context)?.All(static s => s == 1) == true
                    && node.String("coordinate_transformation_mode") != "tf_crop_and_resize" ? input : null;
            case "Relu":
                return input.Producer is { OpType: "Relu" or "Sigmoid" or "Softmax" or "HardSigmoid", Domain: "" } ? input : null;
            case "Add":
                return Neutral(node, 1, 0, context) ?? Neutral(node, 0, 0, context);
            case "Sub":
                return Neutral(node, 1, 0, context);
            case "Mul":
                return Neutral(node, 1, 1, context) ?? Neutral(node, 0, 1, context);
            case "Div" or "Pow":
                return Neutral(node, 1, 1, context);
            default:
                return null;
        }
    }

    /// <summary>The other input, where the one at an index is filled with a number that changes nothing and does not widen the shape.</summary>
    private static Value? Neutral(Node node, int index, double number, PassContext context)
    {
        if (node.Input(index) is not { } operand || node.Input(1 - index) is not { } other
            || context.Constant(operand) is not { Length: > 0 and <= 4096 } constant
            || constant.ElementType == ElementType.String || !PassContext.SameShape(context.Type(other), context.Type(node.Output)))
            return null;
        return Numbers.Doubles(constant).All(v => v == number) ? other : null;
    }

    private static long[]? Steps(Node node, PassContext context) =>
        node.Input(4) is null ? [1] : context.Constant(node.Input(4)) is { } steps ? Numbers.Integers(steps) : null;

    private static long[]? Pads(Node node, PassContext context) =>
        node.Ints("pads") ?? (context.Constant(node.Input(1)) is { } pads ? Numbers.Integers(pads) : null);

    private static double[]? Scales(Node node, PassContext context) =>
        node.Input(3) is not null ? [1] : context.Constant(node.Input(node.Inputs.Count > 2 ? 2 : 1)) is { } scales ? Numbers.Doubles(scales) : null;
}
