namespace ModelBuild.Onnx.Operators;

/// <summary>A number computed from all elements of each channel.</summary>
internal abstract class GlobalPoolOperator : Operator
{
    protected abstract double Pool(Node node, ReadOnlySpan<double> values);

    public override void Infer(InferenceContext context)
    {
        var shape = context.Shape(0);
        context.Set(0, context.ElementType(0), shape.IsDefault ? default : [.. shape.Select(static (d, i) => i < 2 ? d : 1)]);
    }

    public override void Axes(AxesContext context)
    {
        for (var output = 0; output < context.OutputCount; output++)
        {
            context.Link(0, 0, output, 0);
            context.Link(0, 1, output, 1);
            context.Rest(AxisKind.Mixed, output);
        }
    }

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var values = Numbers.Doubles(x);
        var plane = (int)Indexing.Product(x.Shape.AsSpan(), 2, x.Rank);
        var result = new double[x.Shape[0] * x.Shape[1]];
        for (var i = 0; i < result.Length; i++)
            result[i] = Pool(context.Node, values.AsSpan(i * plane, plane));
        context.Set(0, Numbers.Of(x.ElementType, [.. x.Shape.Select(static (d, i) => i < 2 ? d : 1)], result));
    }
}
