namespace ModelBuild.Onnx.Operators;

/// <summary>The largest or smallest elements along an axis and where they are; of equal ones the first.</summary>
internal sealed class TopK : Operator
{
    public override string Name => "TopK";

    public override void Infer(InferenceContext context)
    {
        var shape = context.Shape(0);
        var k = context.Opset < 10 ? Dimension.Of(context.Node.Int("k")) : context.Elements(1)?.Elements[0] ?? Dimension.Unknown;
        var result = shape.IsDefault ? default : shape.SetItem(Indexing.Axis(context.Node.Int("axis", -1), shape.Length), k);
        context.Set(0, context.ElementType(0), result);
        context.Set(1, ElementType.Int64, result);
    }

    public override InputRole Role(Node node, int input) => input == 1 ? InputRole.Parameter : InputRole.Activation;

    public override void Axes(AxesContext context)
    {
        if (context.Rank(0) is not (> 0 and var rank))
            return;
        var axis = Indexing.Axis(context.Node.Int("axis", -1), rank);
        for (var output = 0; output < 2; output++)
        {
            context.Same(0, output, axis);
            context.Rest(AxisKind.Mixed, output);
        }
    }

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var axis = Indexing.Axis(context.Node.Int("axis", -1), x.Rank);
        var k = (int)(context.Opset < 10 ? context.Node.Int("k") : Numbers.Integers(context.Input(1))[0]);
        var largest = context.Node.Int("largest", 1) != 0;
        var (length, inner) = ((int)x.Shape[axis], (int)Indexing.Product(x.Shape.AsSpan(), axis + 1, x.Rank));
        context.Require(k >= 0 && k <= length, $"{k} elements cannot be taken out of {length}");
        var shape = x.Shape.SetItem(axis, k);
        var positions = new int[Indexing.Length(shape)];
        var indices = new long[positions.Length];
        var compare = Order(x, largest);
        for (var i = 0; length > 0 && i < x.Length / length; i++)
        {
            var start = i / inner * length * inner + i % inner;
            var order = Enumerable.Range(0, length).Select(j => start + j * inner).ToArray();
            // Positions break ties.
            Array.Sort(order, (a, b) => compare(a, b) is not 0 and var c ? c : a.CompareTo(b));
            for (var j = 0; j < k; j++)
            {
                var at = i / inner * k * inner + j * inner + i % inner;
                positions[at] = order[j];
                indices[at] = (order[j] - start) / inner;
            }
        }
        context.Set(0, Elements.Select(x, shape, positions));
        context.Set(1, Tensor.Of(indices, shape.AsSpan()));
    }

    private static Comparison<int> Order(Tensor x, bool largest)
    {
        var sign = largest ? -1 : 1;
        if (ElementTypes.IsFloat(x.ElementType))
        {
            var values = Numbers.Doubles(x);
            // NaN counts as larger than everything.
            return (a, b) => double.IsNaN(values[a]) || double.IsNaN(values[b]) ? sign * double.IsNaN(values[a]).CompareTo(double.IsNaN(values[b]))
                : sign * values[a].CompareTo(values[b]);
        }
        var integers = Numbers.Integers(x);
        return x.ElementType == ElementType.UInt64 ? (a, b) => sign * ((ulong)integers[a]).CompareTo((ulong)integers[b]) : (a, b) => sign * integers[a]
            .CompareTo(integers[b]);
    }
}
