namespace ModelBuild.Onnx.Operators;

/// <summary>Axes of operators that normalize all axes from one on, and scale what results.</summary>
internal static class NormalizedTail
{
    public static void Axes(AxesContext context)
    {
        var rank = context.Rank(0);
        if (rank < 0)
            return;
        var axis = Indexing.Axis(context.Node.Int("axis", -1), rank);
        for (var i = 0; i < axis; i++)
            for (var output = 0; output < context.OutputCount; output++)
                context.Link(0, i, output, i);
        for (var i = 1; i < context.InputCount; i++)
            context.Broadcast(i);
        for (var output = 0; output < context.OutputCount; output++)
            for (var i = axis; i < rank; i++)
                context.Set(output, i, AxisKind.Mixed);
    }

    public static string? Cut(CutContext context)
    {
        var axis = Indexing.Axis(context.Node.Int("axis", -1), context.Rank(0));
        return Enumerable.Range(axis, context.Rank(0) - axis).Any(i => context.CutsOutput(0, i)) ? "a normalized axis is normalized as a whole" : null;
    }
}
