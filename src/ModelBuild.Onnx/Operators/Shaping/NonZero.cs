namespace ModelBuild.Onnx.Operators;

/// <summary>The coordinates of all elements that are not zero, [rank, count].</summary>
internal sealed class NonZero : Operator
{
    public override string Name => "NonZero";

    public override int FirstVersion => 9;

    public override void Infer(InferenceContext context) =>
        context.Set(0, ElementType.Int64, [context.Shape(0).IsDefault ? Dimension.Unknown : context.Shape(0).Length, context.Fresh("nonzero")]);

    public override void Axes(AxesContext context)
    {
        context.Set(0, 0, AxisKind.New);
        context.Set(0, 1, AxisKind.Mixed);
    }

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var values = Numbers.Doubles(x);
        var found = Enumerable.Range(0, values.Length).Where(i => values[i] != 0).ToArray();
        var strides = Indexing.Strides(x.Shape.AsSpan());
        var result = new long[x.Rank * found.Length];
        for (var d = 0; d < x.Rank; d++)
            for (var i = 0; i < found.Length; i++)
                result[d * found.Length + i] = found[i] / strides[d] % x.Shape[d];
        context.Set(0, Tensor.Of(result, x.Rank, found.Length));
    }
}
