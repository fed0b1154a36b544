namespace ModelBuild.Onnx.Operators;

/// <summary>A new axis on which one value stands at an index and another one everywhere else.</summary>
internal sealed class OneHot : Operator
{
    public override string Name => "OneHot";

    public override int FirstVersion => 9;

    public override void Infer(InferenceContext context)
    {
        var shape = context.Shape(0);
        var depth = context.Constant(1) is { Length: 1 } d ? Dimension.Of((long)Numbers.Doubles(d)[0]) : context.Elements(1) is { } e ? e.Elements[0]
            : Dimension.Unknown;
        context.Set(0, context.ElementType(2), shape.IsDefault ? default : shape.Insert(Indexing.Axis(context.Node.Int("axis", -1), shape.Length + 1), depth));
    }

    public override InputRole Role(Node node, int input) => input == 0 ? InputRole.Indices : InputRole.Parameter;

    public override void Axes(AxesContext context)
    {
        if (context.Rank(0) is not (>= 0 and var rank))
            return;
        var axis = Indexing.Axis(context.Node.Int("axis", -1), rank + 1);
        for (var i = 0; i < rank; i++)
            context.Link(0, i, 0, i < axis ? i : i + 1);
        context.Set(0, axis, AxisKind.New);
    }

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var indices = context.Input(0);
        var depth = (long)Numbers.Doubles(context.Input(1))[0];
        context.Require(depth > 0, "the depth must be positive");
        var axis = Indexing.Axis(context.Node.Int("axis", -1), indices.Rank + 1);
        var shape = indices.Shape.Insert(axis, depth);
        var values = Numbers.Doubles(indices);
        var inner = (int)Indexing.Product(indices.Shape.AsSpan(), axis, indices.Rank);
        var positions = new int[Indexing.Length(shape)];
        for (var i = 0; i < values.Length; i++)
        {
            var at = (long)values[i];
            if (at < -depth || at >= depth)
                continue;
            positions[i / inner * depth * inner + (at < 0 ? at + depth : at) * inner + i % inner] = 1;
        }
        context.Set(0, Elements.Select(context.Input(2), shape, positions));
    }
}
