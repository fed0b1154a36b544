namespace ModelBuild.Onnx.Operators;

/// <summary>Elements along an axis divided by their L1 or L2 norm; of norm 0, 0.</summary>
internal sealed class LpNormalization : Operator
{
    public override string Name => "LpNormalization";

    public override void Infer(InferenceContext context) => context.Set(0, context.Input(0));

    public override void Axes(AxesContext context)
    {
        if (context.Rank(0) is > 0 and var rank)
            context.Same(0, 0, Indexing.Axis(context.Node.Int("axis", -1), rank));
        context.Rest(AxisKind.Mixed);
    }

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var values = Numbers.Doubles(x);
        var axis = Indexing.Axis(context.Node.Int("axis", -1), x.Rank);
        var p = context.Node.Int("p", 2);
        context.Require(p is 1 or 2, "p must be 1 or 2");
        var (length, inner) = ((int)x.Shape[axis], (int)Indexing.Product(x.Shape.AsSpan(), axis + 1, x.Rank));
        for (var i = 0; length > 0 && i < values.Length / length; i++)
        {
            var start = i / inner * length * inner + i % inner;
            double sum = 0;
            for (var k = 0; k < length; k++)
                sum += p == 1 ? Math.Abs(values[start + k * inner]) : values[start + k * inner] * values[start + k * inner];
            var norm = p == 1 ? sum : Math.Sqrt(sum);
            for (var k = 0; k < length; k++)
                values[start + k * inner] = norm == 0 ? 0 : values[start + k * inner] / norm;
        }
        context.Set(0, Numbers.Of(x.ElementType, x.Shape, values));
    }
}
