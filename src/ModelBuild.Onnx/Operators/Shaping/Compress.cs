namespace ModelBuild.Onnx.Operators;

/// <summary>The slices along an axis, or the elements, for which a condition holds.</summary>
internal sealed class Compress : Operator
{
    public override string Name => "Compress";

    public override int FirstVersion => 9;

    public override void Infer(InferenceContext context)
    {
        var shape = context.Shape(0);
        if (!context.Node.Attributes.ContainsKey("axis"))
            context.Set(0, context.ElementType(0), Shapes.OfRank(1));
        else
            context.Set(0, context.ElementType(0), shape.IsDefault ? default : shape.SetItem(Indexing.Axis(context.Node.Int("axis"), shape.Length),
                Dimension.Unknown));
    }

    public override InputRole Role(Node node, int input) => input == 1 ? InputRole.Indices : InputRole.Activation;

    public override void Axes(AxesContext context)
    {
        var rank = context.Rank(0);
        if (rank > 0 && context.Node.Attributes.ContainsKey("axis"))
        {
            var axis = Indexing.Axis(context.Node.Int("axis"), rank);
            context.Same(0, 0, axis);
            if (context.Integers(1) is { } condition && context.Size(0, axis).IsConstant)
                context.Select(0, axis, 0, axis, [.. Enumerable.Range(0, (int)Math.Min(condition.Length, context.Size(0, axis).Value))
                    .Where(i => condition[i] != 0).Select(static i => (long)i)]);
        }
        context.Rest(AxisKind.Mixed);
    }

    public override string? Cut(CutContext context)
    {
        var axis = context.Node.Attributes.ContainsKey("axis") ? Indexing.Axis(context.Node.Int("axis"), context.Rank(0)) : -1;
        if (axis < 0 || !context.CutsInput(0, axis) && !context.CutsOutput(0, axis))
            return null;
        var condition = context.Integers(1)!;
        var chosen = Enumerable.Range(0, condition.Length).Where(i => condition[i] != 0).ToArray();
        var wanted = context.OfOutput(0, axis).Select(j => (long)chosen[j]).ToHashSet();
        context.SetIntegers(1, [.. context.OfInput(0, axis).Select(i => wanted.Contains(i) ? 1L : 0)]);
        return null;
    }

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var flat = !context.Node.Attributes.ContainsKey("axis");
        var source = flat ? x.Reshape(x.Length) : x;
        var axis = flat ? 0 : Indexing.Axis(context.Node.Int("axis"), x.Rank);
        var condition = Numbers.Integers(context.Input(1));
        var chosen = Enumerable.Range(0, (int)Math.Min(condition.Length, source.Shape[axis])).Where(i => condition[i] != 0).Select(static i => (long)i)
            .ToArray();
        context.Set(0, Gather.Apply(source, Tensor.Vector(chosen), axis));
    }
}
