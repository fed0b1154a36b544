namespace ModelBuild.Onnx.Operators;

/// <summary>Axes in another order; reversed where none is given.</summary>
internal sealed class Transpose : Operator
{
    public override string Name => "Transpose";

    /// <summary>The order of axes that a node states or means.</summary>
    public static int[] Order(Node node, int rank)
    {
        var order = node.Ints("perm")?.Select(a => Indexing.Axis(a, rank)).ToArray() ?? [.. Enumerable.Range(0, rank).Reverse()];
        return order.Length == rank && order.Distinct().Count() == rank ? order
            : throw new InvalidOperationException($"perm [{string.Join(',', order)}] is no order of {rank} axes");
    }

    public override void Infer(InferenceContext context)
    {
        var shape = context.Shape(0);
        if (shape.IsDefault)
            context.Set(0, context.ElementType(0), context.Node.Ints("perm") is { } p ? Shapes.OfRank(p.Length) : default);
        else
            context.Set(0, context.ElementType(0), [.. Order(context.Node, shape.Length).Select(a => shape[a])]);
    }

    public override void Axes(AxesContext context)
    {
        if (context.OutputRank(0) is not (>= 0 and var rank))
            return;
        var order = Order(context.Node, rank);
        for (var i = 0; i < order.Length; i++)
            context.Link(0, order[i], 0, i);
    }

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context) => context.Set(0, Apply(context.Input(0), Order(context.Node, context.Input(0).Rank)));

    /// <summary>A tensor with its axes in another order.</summary>
    public static Tensor Apply(Tensor x, int[] order)
    {
        var strides = Indexing.Strides(x.Shape.AsSpan());
        long[] shape = [.. order.Select(a => x.Shape[a])];
        return Elements.Select(x, [.. shape], Indexing.Positions(shape, [.. order.Select(a => strides[a])]));
    }
}
