namespace ModelBuild.Onnx.Operators;

/// <summary>Running sums or products along an axis.</summary>
internal abstract class CumulativeOperator : Operator
{
    protected abstract double Start { get; }

    protected abstract double Combine(double a, double b);

    protected abstract long Combine(long a, long b);

    public override void Infer(InferenceContext context) => context.Set(0, context.Input(0));

    public override InputRole Role(Node node, int input) => input == 1 ? InputRole.Parameter : InputRole.Activation;

    public override void Axes(AxesContext context)
    {
        var rank = context.Rank(0);
        if (context.Integers(1) is [var axis, ..])
            context.Same(0, 0, Indexing.Axis(axis, rank));
        context.Rest(AxisKind.Mixed);
    }

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var axis = Indexing.Axis(Numbers.Integers(context.Input(1))[0], x.Rank);
        if (ElementTypes.IsFloat(x.ElementType))
            context.Set(0, Numbers.Of(x.ElementType, x.Shape, Run(context.Node, x, axis, Numbers.Doubles(x), Start, Combine)));
        else
            context.Set(0, Numbers.Of(x.ElementType, x.Shape, Run(context.Node, x, axis, Numbers.Integers(x), (long)Start, Combine)));
    }

    private static T[] Run<T>(Node node, Tensor x, int axis, T[] values, T start, Func<T, T, T> combine)
    {
        var (exclusive, reverse) = (node.Int("exclusive") != 0, node.Int("reverse") != 0);
        var (length, inner) = ((int)x.Shape[axis], (int)Indexing.Product(x.Shape.AsSpan(), axis + 1, x.Rank));
        for (var i = 0; length > 0 && i < values.Length / length; i++)
        {
            var first = i / inner * length * inner + i % inner;
            var total = start;
            for (var k = 0; k < length; k++)
            {
                ref var v = ref values[first + (reverse ? length - 1 - k : k) * inner];
                var next = combine(total, v);
                v = exclusive ? total : next;
                total = next;
            }
        }
        return values;
    }
}
