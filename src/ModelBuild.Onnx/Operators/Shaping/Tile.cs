namespace ModelBuild.Onnx.Operators;

/// <summary>A tensor repeated along every axis.</summary>
internal sealed class Tile : Operator
{
    public override string Name => "Tile";

    public override int FirstVersion => 6;

    public override void Infer(InferenceContext context)
    {
        var shape = context.Shape(0);
        context.Set(0, context.ElementType(0), shape.IsDefault ? default
            : context.Vector(1) is { } r && r.Length == shape.Length ? [.. shape.Zip(r, static (d, n) => d * n)] : Shapes.OfRank(shape.Length));
    }

    public override InputRole Role(Node node, int input) => input == 1 ? InputRole.Parameter : InputRole.Activation;

    public override void Axes(AxesContext context)
    {
        for (var i = 0; i < context.Rank(0); i++)
            if (context.OutputSize(0, i) is { IsUnknown: false } size && size == context.Size(0, i))
                context.Link(0, i, 0, i);
            else
                context.Link(AxesContext.In(0, i), AxesContext.Out(0, i) with { Outer = Dimension.Unknown }, context.Size(0, i));
    }

    public override string? Cut(CutContext context) => Enumerable.Range(0, context.Rank(0)).All(i => !context.CutsOutput(0, i)
        || context.OfOutput(0, i).Length * context.Length(NodeAxis.OfInput(0, i)) == context.OfInput(0, i).Length * context.Length(NodeAxis.OfOutput(0, i)))
        ? null : "copies would differ";

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var repeats = Numbers.Integers(context.Input(1));
        context.Require(repeats.Length == x.Rank && repeats.All(r => r >= 0), "there must be one number of repeats per dimension");
        // Every axis as two: which copy (standing still), and where in it.
        var strides = Indexing.Strides(x.Shape.AsSpan());
        var positions = Indexing.Positions([.. x.Shape.SelectMany((d, i) => new[] { repeats[i], d })], [.. strides.SelectMany(s => new[] { 0, s })]);
        context.Set(0, Elements.Select(x, [.. x.Shape.Select((d, i) => d * repeats[i])], positions));
    }
}
