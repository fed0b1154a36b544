namespace ModelBuild.Onnx.Operators;

/// <summary>The dimensions from the axis on brought to mean 0 and variance 1, then scaled and shifted.</summary>
internal sealed class LayerNormalization : Operator
{
    public override string Name => "LayerNormalization";

    // ONNX Runtime knows the operator in the standard domain before operator set 17 has it, and exporters use that.
    public override int FirstVersion => 1;

    public override void Infer(InferenceContext context)
    {
        context.Set(0, context.Input(0));
        var shape = context.Shape(0);
        var axis = shape.IsDefault ? 0 : Indexing.Axis(context.Node.Int("axis", -1), shape.Length);
        for (var i = 1; i < context.OutputCount; i++)
            context.Set(i, (ElementType)context.Node.Int("stash_type", 1), shape.IsDefault ? default : [.. shape.Select((d, k) => k < axis ? d : 1)]);
    }

    public override InputRole Role(Node node, int input) => input switch { 1 => InputRole.Scale, 2 => InputRole.Bias, _ => InputRole.Activation };

    public override void Axes(AxesContext context) => NormalizedTail.Axes(context);

    public override string? Cut(CutContext context) => NormalizedTail.Cut(context);

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var values = Numbers.Doubles(x);
        var axis = Indexing.Axis(context.Node.Int("axis", -1), x.Rank);
        double epsilon = context.Node.Float("epsilon", 1e-5f);
        var length = (int)Indexing.Product(x.Shape.AsSpan(), axis, x.Rank);
        var count = length == 0 ? 0 : values.Length / length;
        var scale = Spread(context.Input(1), x, axis);
        var bias = context.Optional(2) is { } b ? Spread(b, x, axis) : null;
        var (means, deviations) = (new double[count], new double[count]);
        for (var i = 0; i < count; i++)
        {
            var row = values.AsSpan(i * length, length);
            double mean = 0, square = 0;
            foreach (var v in row)
                mean += v;
            mean /= length;
            foreach (var v in row)
                square += (v - mean) * (v - mean);
            means[i] = mean;
            deviations[i] = 1 / Math.Sqrt(square / length + epsilon);
            for (var k = 0; k < length; k++)
                row[k] = (row[k] - mean) * deviations[i] * scale[scale.Length == length ? k : i * length + k]
                    + (bias is null ? 0 : bias[bias.Length == length ? k : i * length + k]);
        }
        System.Collections.Immutable.ImmutableArray<long> statistics = [.. x.Shape.Select((d, i) => i < axis ? d : 1)];
        var type = (ElementType)context.Node.Int("stash_type", 1);
        context.Set(0, Numbers.Of(x.ElementType, x.Shape, values));
        context.Set(1, Numbers.Of(type, statistics, means));
        context.Set(2, Numbers.Of(type, statistics, deviations));
    }

    // Parameters mostly have the shape of the normalized dimensions; anything that broadcasts to the input is allowed.
    private static double[] Spread(Tensor t, Tensor x, int axis) => t.Length == Indexing.Product(x.Shape.AsSpan(), axis, x.Rank)
        ? Numbers.Doubles(t) : Elementwise.Spread(Numbers.Doubles(t), t.Shape, t.Rank <= x.Rank - axis ? [.. x.Shape.Skip(axis)] : x.Shape);
}
