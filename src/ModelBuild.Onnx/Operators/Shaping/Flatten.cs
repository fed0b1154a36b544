namespace ModelBuild.Onnx.Operators;

/// <summary>A matrix: the dimensions before the axis make the rows, the others the columns.</summary>
internal sealed class Flatten : Operator
{
    public override string Name => "Flatten";

    public override void Infer(InferenceContext context)
    {
        var shape = context.Shape(0);
        if (shape.IsDefault)
        {
            context.Set(0, context.ElementType(0), Shapes.OfRank(2));
            return;
        }
        var axis = Axis(context.Node, shape.Length);
        context.Set(0, context.ElementType(0), [Shapes.Product(shape.Take(axis)), Shapes.Product(shape.Skip(axis))]);
    }

    public override void Axes(AxesContext context) => ReshapeAxes.State(context);

    public override string? Cut(CutContext context) => ReshapeAxes.Cut(context);

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var axis = Axis(context.Node, x.Rank);
        context.Set(0, x.Reshape(Indexing.Product(x.Shape.AsSpan(), 0, axis), Indexing.Product(x.Shape.AsSpan(), axis, x.Rank)));
    }

    // The axis may be the rank itself.
    private static int Axis(Node node, int rank) => node.Int("axis", 1) is var a && a == rank ? rank : Indexing.Axis(a, rank);
}
