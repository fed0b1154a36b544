namespace ModelBuild.Onnx.Operators;

/// <summary>The dimensions from the axis on divided by their root mean square, then scaled.</summary>
internal sealed class RMSNormalization : Operator
{
    public override string Name => "RMSNormalization";

    public override int FirstVersion => 23;

    public override void Infer(InferenceContext context) => context.Set(0, context.ElementType(1), context.Shape(0));

    public override InputRole Role(Node node, int input) => input switch { 1 => InputRole.Scale, _ => InputRole.Activation };

    public override void Axes(AxesContext context) => NormalizedTail.Axes(context);

    public override string? Cut(CutContext context) => NormalizedTail.Cut(context);

    public override void Execute(ExecutionContext context)
    {
        var (x, scale) = (context.Input(0), context.Input(1));
        var values = Numbers.Doubles(x);
        var axis = Indexing.Axis(context.Node.Int("axis", -1), x.Rank);
        double epsilon = context.Node.Float("epsilon", 1e-5f);
        var length = (int)Indexing.Product(x.Shape.AsSpan(), axis, x.Rank);
        var factors = Elementwise.Spread(Numbers.Doubles(scale), scale.Shape, x.Shape);
        for (var start = 0; start < values.Length; start += length)
        {
            double square = 0;
            for (var i = 0; i < length; i++)
                square += values[start + i] * values[start + i];
            var factor = 1 / Math.Sqrt(square / length + epsilon);
            for (var i = 0; i < length; i++)
                values[start + i] *= factor * factors[start + i];
        }
        context.Set(0, Numbers.Of(scale.ElementType, x.Shape, values));
    }
}
