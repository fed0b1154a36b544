using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>
/// Up to operator set 6 binary operators broadcast only where the attribute <c>broadcast</c> says so, and then align the second tensor's first dimension
/// with the attribute <c>axis</c>; from 7 on they follow the rule that shapes are aligned at their ends.
/// </summary>
internal static class BroadcastAttributes
{
    public static ImmutableArray<Dimension> Shape(InferenceContext context)
    {
        var (a, b) = (context.Shape(0), context.Shape(1));
        return context.Opset < 7 ? a : Shapes.Broadcast(a, b);
    }

    /// <summary>The second input, with dimensions of 1 appended where the attributes ask for it.</summary>
    public static Tensor Second(ExecutionContext context)
    {
        var b = context.Input(1);
        if (context.Opset >= 7 || context.Node.Int("broadcast") == 0 || !context.Node.Attributes.ContainsKey("axis"))
            return b;
        var rank = context.Input(0).Rank;
        var axis = Indexing.Axis(context.Node.Int("axis"), rank);
        context.Require(axis + b.Rank <= rank, "the second input has too many dimensions for its axis");
        return b.Reshape([.. b.Shape, .. Enumerable.Repeat(1L, rank - axis - b.Rank)]);
    }

    /// <summary>Where axes come from: both inputs are broadcast, the second one to where the attributes put it.</summary>
    public static void Axes(AxesContext context)
    {
        if (context.Opset >= 7)
        {
            context.BroadcastAll();
            return;
        }
        var (rank, second) = (context.Rank(0), context.Rank(1));
        context.Broadcast(0);
        var isPlaced = rank >= 0 && second >= 0 && context.Node.Int("broadcast") != 0 && context.Node.Attributes.ContainsKey("axis");
        context.Broadcast(1, behind: isPlaced ? rank - Indexing.Axis(context.Node.Int("axis"), rank) - second : 0);
        context.Rest(AxisKind.New);
    }
}
