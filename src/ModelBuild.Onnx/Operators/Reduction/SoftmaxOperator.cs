namespace ModelBuild.Onnx.Operators;

/// <summary>
/// Normalization along an axis. Up to operator set 12 all dimensions from the axis on are normalized as one, later the axis alone.
/// </summary>
internal abstract class SoftmaxOperator : Operator
{
    protected abstract void Normalize(Span<double> values);

    public override void Infer(InferenceContext context) => context.Set(0, context.Input(0));

    public override void Axes(AxesContext context)
    {
        if (context.Rank(0) is > 0 and var rank)
        {
            // Before operator set 13 all axes from one on are one.
            var flat = context.Opset < 13;
            var axis = context.Node.Int("axis", flat ? 1 : -1) is var a && flat && a == rank ? rank : Indexing.Axis(a, rank);
            context.Same(0, 0, flat ? [.. Enumerable.Range(axis, rank - axis)] : [axis]);
        }
        context.Rest(AxisKind.Mixed);
    }

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var values = Numbers.Doubles(x);
        var flat = context.Opset < 13;
        var axis = x.Rank == 0 ? 0 : context.Node.Int("axis", flat ? 1 : -1) is var a && flat && a == x.Rank ? x.Rank : Indexing.Axis(a, x.Rank);
        var inner = flat || x.Rank == 0 ? 1 : (int)Indexing.Product(x.Shape.AsSpan(), axis + 1, x.Rank);
        var length = x.Rank == 0 ? 1 : flat ? (int)Indexing.Product(x.Shape.AsSpan(), axis, x.Rank) : (int)x.Shape[axis];
        var line = new double[length];
        for (var start = 0; start < values.Length; start += length * inner)
            for (var i = 0; i < inner; i++)
            {
                for (var k = 0; k < length; k++)
                    line[k] = values[start + k * inner + i];
                Normalize(line);
                for (var k = 0; k < length; k++)
                    values[start + k * inner + i] = line[k];
            }
        context.Set(0, Numbers.Of(x.ElementType, x.Shape, values));
    }
}
