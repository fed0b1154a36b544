namespace ModelBuild.Onnx.Operators;

/// <summary>Elements of the second tensor where the condition holds, else of the third; all broadcast together.</summary>
internal sealed class Where : Operator
{
    public override string Name => "Where";

    public override int FirstVersion => 9;

    public override void Infer(InferenceContext context)
    {
        context.Set(0, context.ElementType(1), Shapes.Broadcast(Shapes.Broadcast(context.Shape(0), context.Shape(1)), context.Shape(2)));
        if (context.Elements(0) is not { IsConstant: true } condition || context.Elements(1) is not { } x || context.Elements(2) is not { } y)
            return;
        var shape = Indexing.BroadcastShape(condition.Shape, x.Shape, y.Shape);
        var (c, p, q) = (Elementwise.Spread([.. condition.Elements], condition.Shape, shape), Elementwise.Spread([.. x.Elements], x.Shape, shape),
            Elementwise.Spread([.. y.Elements], y.Shape, shape));
        context.SetElements(0, new(shape, [.. c.Select((v, i) => v.Value != 0 ? p[i] : q[i])]));
    }

    public override void Axes(AxesContext context) => context.BroadcastAll();

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var (condition, x, y) = (context.Input(0), context.Input(1), context.Input(2));
        context.Require(x.ElementType == y.ElementType, $"the inputs are {x.ElementType} and {y.ElementType}");
        var shape = Indexing.BroadcastShape(condition.Shape, x.Shape, y.Shape);
        var c = Elementwise.Spread(Numbers.Integers(condition), condition.Shape, shape);
        var atX = Indexing.Broadcast(x.Shape.AsSpan(), shape.AsSpan());
        var atY = Indexing.Broadcast(y.Shape.AsSpan(), shape.AsSpan());
        var positions = new int[c.Length];
        for (var i = 0; i < c.Length; i++)
            positions[i] = c[i] != 0 ? atX is null ? i : atX[i] : (int)x.Length + (atY is null ? i : atY[i]);
        context.Set(0, Elements.Select(Elements.Chain([x, y], x.ElementType), shape, positions));
    }
}
