namespace ModelBuild.Onnx.Operators;

/// <summary>Largest element under a moving window, and optionally where it lies.</summary>
internal sealed class MaxPool : PoolOperator
{
    public override string Name => "MaxPool";

    protected override double Pool(Node node, ReadOnlySpan<double> values, int window) => throw new NotSupportedException();

    public override void Infer(InferenceContext context)
    {
        base.Infer(context);
        context.Set(1, ElementType.Int64, OutputShape(context));
    }

    // Positions count through samples and channels.
    public override string? Cut(CutContext context) => context.Node.Outputs.Count > 1 && context.Node.Outputs[1].Name.Length > 0
        ? "its second output counts positions through all channels" : null;

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var values = Numbers.Doubles(x);
        var columnMajor = context.Node.Int("storage_order") != 0;
        var spatial = x.Shape.AsSpan()[2..].ToArray();
        var plane = (int)Tensor.Count(spatial);
        var indices = new List<(int Place, long Index)>();
        var (shape, result, _) = Run(x, new(context.Node, context.Node.Ints("kernel_shape")!), (under, _, place) =>
        {
            if (under.Count == 0)
                return double.NegativeInfinity;
            var best = under[0];
            foreach (var i in under)
                if (values[i] > values[best] || double.IsNaN(values[i]))
                    best = i;
            indices.Add((place, columnMajor ? best / plane * plane + ColumnMajor(best % plane, spatial) : best));
            return values[best];
        });
        context.Set(0, Numbers.Of(x.ElementType, shape, result));
        if (!context.Wants(1))
            return;
        var at = new long[result.Length];
        foreach (var (place, index) in indices)
            at[place] = index;
        context.Set(1, Tensor.Of(at, shape.AsSpan()));
    }

    private static long ColumnMajor(long position, long[] shape)
    {
        long result = 0;
        for (var d = shape.Length - 1; d >= 0; d--)
        {
            var coordinate = position % shape[d];
            position /= shape[d];
            result += coordinate * Indexing.Product(shape, 0, d);
        }
        return result;
    }
}
