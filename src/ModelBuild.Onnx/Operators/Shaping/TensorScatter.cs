namespace ModelBuild.Onnx.Operators;

/// <summary>A cache with new entries written along the sequence axis, from a position per sample; circular where the mode says so.</summary>
internal sealed class TensorScatter : Operator
{
    public override string Name => "TensorScatter";

    public override int FirstVersion => 24;

    public override void Infer(InferenceContext context) => context.Set(0, context.Input(0));

    public override InputRole Role(Node node, int input) => input switch { 0 => InputRole.State, 2 => InputRole.Indices, _ => InputRole.Activation };

    public override void Axes(AxesContext context)
    {
        if (context.Rank(0) is not (> 0 and var rank))
            return;
        context.Same();
        context.Same(1, 0, Indexing.Axis(context.Node.Int("axis", -2), rank));
        context.Link(2, 0, 0, 0);
    }

    public override string? Cut(CutContext context) =>
        context.CutsInput(0, Indexing.Axis(context.Node.Int("axis", -2), context.Rank(0))) ? "positions count along the axis" : null;

    public override void Execute(ExecutionContext context)
    {
        var (cache, update) = (context.Input(0), context.Input(1));
        var axis = Indexing.Axis(context.Node.Int("axis", -2), cache.Rank);
        context.Require(axis > 0, "the axis must not be the batch");
        var starts = context.Optional(2) is { } s ? Numbers.Integers(s) : new long[cache.Shape[0]];
        var circular = context.Node.String("mode", "linear") == "circular";
        var strides = Indexing.Strides(cache.Shape.AsSpan());
        var step = strides[axis];
        strides[axis] = 0;
        var positions = Indexing.Positions(update.Shape.AsSpan(), strides);
        var (length, inner) = (update.Shape[axis], Indexing.Product(update.Shape.AsSpan(), axis + 1, update.Rank));
        var perSample = Indexing.Product(update.Shape.AsSpan(), 1, update.Rank);
        for (var i = 0; i < positions.Length; i++)
        {
            var at = starts[i / perSample] + i / inner % length;
            if (circular)
                at %= cache.Shape[axis];
            context.Require(at >= 0 && at < cache.Shape[axis], $"position {at} lies outside the cache");
            positions[i] += (int)(at * step);
        }
        context.Set(0, Elements.Scatter(cache, positions, update));
    }
}
