namespace ModelBuild.Onnx.Operators;

/// <summary>
/// Where the axes of convolutions come from, and how they are cut: samples and filters stand apart, channels are summed over within their group.
/// </summary>
internal static class ConvolutionAxes
{
    /// <summary>States the axes of an input [N, C, spatial...] and weights [M, C/group, kernel...].</summary>
    public static void State(AxesContext context, int input, int weights)
    {
        var groups = context.Node.Int("group", 1);
        context.Link(input, 0, 0, 0);
        context.Link(weights, 0, 0, 1);
        if (groups > 1)
            context.Link(AxesContext.In(input, 1) with { Inner = context.Size(input, 1) / groups },
                AxesContext.Out(0, 1) with { Inner = context.Size(weights, 0) / groups }, groups);
        context.Tie(AxesContext.In(input, 1) with { Outer = groups }, AxesContext.In(weights, 1),
            context.Size(weights, 1) is { IsUnknown: false } own ? own : context.Size(input, 1) / groups);
        for (var axis = 2; axis < Math.Max(context.Rank(input), context.OutputRank(0)); axis++)
            if (IsPoint(context, weights, axis - 2))
                context.Link(input, axis, 0, axis);
            else
                context.Set(0, axis, AxisKind.Mixed);
    }

    /// <summary>What several numbers of one kind are linked to: one for each output channel; a single one is linked to none.</summary>
    public static void PerChannel(AxesContext context, params ReadOnlySpan<int> inputs)
    {
        foreach (var input in inputs)
            if (context.Rank(input) == 1)
                context.BroadcastAxis(input, 0, 0, 1);
    }

    /// <summary>Groups go where nothing of them is left; those that stay must stay alike.</summary>
    public static string? Cut(CutContext context, int input, int weights)
    {
        var groups = context.Node.Int("group", 1);
        return groups == 1 ? null : Cut(context, groups, NodeAxis.OfInput(input, 1), NodeAxis.OfOutput(0, 1), NodeAxis.OfInput(weights, 1));
    }

    /// <summary>Cuts groups.</summary>
    /// <param name="context">The node.</param>
    /// <param name="groups">How many there are.</param>
    /// <param name="aligned">An axis of all groups, one behind the other, of which each group keeps the same places.</param>
    /// <param name="counted">Another one, of which each group keeps the same number.</param>
    /// <param name="places">The axis of the weights that counts the places.</param>
    public static string? Cut(CutContext context, long groups, NodeAxis aligned, NodeAxis counted, NodeAxis places)
    {
        var (perGroup, perOther) = (context.Length(aligned) / groups, context.Length(counted) / groups);
        var left = context.Kept(aligned).ToLookup(i => i / perGroup, i => i % perGroup);
        var others = context.Kept(counted).ToLookup(i => i / perOther);
        var stay = left.Select(static g => g.Key).ToArray();
        if (!stay.SequenceEqual(others.Select(static g => g.Key)))
            return "a group would have only inputs or only outputs";
        if (stay.Any(g => !left[g].SequenceEqual(context.Kept(places))) || stay.Select(g => others[g].Count()).Distinct().Count() > 1)
            return "groups would keep different channels";
        if (stay.Length != groups)
            context.Set("group", stay.Length);
        return null;
    }

    /// <summary>Multiply-adds: each output element is a sum over one filter.</summary>
    public static Work Work(WorkContext context, int weights) =>
        context.Work(context.OutputElements() * (context.Shape(weights) is { } w ? WorkContext.Product(w, 1) : 1));

    /// <summary>Whether the window along a spatial axis is one place, so that places stay apart.</summary>
    private static bool IsPoint(AxesContext context, int weights, int spatial) =>
        context.Size(weights, spatial + 2) == 1 && (context.Node.Ints("strides")?[spatial] ?? 1) == 1
        && (context.Node.Ints("pads") is not { } pads || pads[spatial] == 0 && pads[spatial + pads.Length / 2] == 0);
}
