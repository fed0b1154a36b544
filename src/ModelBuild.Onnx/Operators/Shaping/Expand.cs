namespace ModelBuild.Onnx.Operators;

/// <summary>A tensor broadcast together with a given shape.</summary>
internal sealed class Expand : Operator
{
    public override string Name => "Expand";

    public override int FirstVersion => 8;

    public override void Infer(InferenceContext context) =>
        context.Set(0, context.ElementType(0), context.Vector(1) is { } target ? Shapes.Broadcast(context.Shape(0), target) : default);

    public override InputRole Role(Node node, int input) => input == 1 ? InputRole.Parameter : InputRole.Activation;

    public override void Axes(AxesContext context)
    {
        context.Broadcast(0);
        if (context.Rank(0) >= 0)
            context.Rest(AxisKind.New);
    }

    public override string? Cut(CutContext context)
    {
        var (rank, target) = (context.OutputRank(0), context.Integers(1));
        if (target is null)
            return Enumerable.Range(0, rank).Any(i => context.CutsOutput(0, i)) ? "the shape is not constant" : null;
        for (var i = 0; i < target.Length; i++)
            if (context.CutsOutput(0, rank - target.Length + i) && target[i] != 1)
                target[i] = context.OfOutput(0, rank - target.Length + i).Length;
        context.SetIntegers(1, target);
        return null;
    }

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var shape = Indexing.BroadcastShape(x.Shape, [.. Numbers.Integers(context.Input(1))]);
        context.Set(0, Indexing.Broadcast(x.Shape.AsSpan(), shape.AsSpan()) is { } positions ? Elements.Select(x, shape, positions) : x);
    }
}
