namespace ModelBuild.Onnx.Operators;

/// <summary>Groups of channels brought to mean 0 and variance 1, then scaled and shifted: per group up to operator set 20, per channel later.</summary>
internal sealed class GroupNormalization : Operator
{
    public override string Name => "GroupNormalization";

    public override int FirstVersion => 18;

    public override void Infer(InferenceContext context) => context.Set(0, context.Input(0));

    public override InputRole Role(Node node, int input) => input switch { 1 => InputRole.Scale, 2 => InputRole.Bias, _ => InputRole.Activation };

    public override void Axes(AxesContext context)
    {
        Dimension groups = context.Node.Int("num_groups");
        var perGroup = context.Size(0, 1) / groups;
        context.Link(0, 0, 0, 0);
        context.Link(AxesContext.In(0, 1) with { Inner = perGroup }, AxesContext.Out(0, 1) with { Inner = perGroup }, groups);
        for (var i = 1; i < 3; i++)
            if (context.Opset < 21)
                context.Link(AxesContext.In(i, 0), AxesContext.Out(0, 1) with { Inner = perGroup }, groups);
            else
                context.Link(i, 0, 0, 1);
        context.Rest(AxisKind.Mixed);
    }

    public override string? Cut(CutContext context)
    {
        if (!context.CutsInput(0, 1) && !context.CutsOutput(0, 1))
            return null;
        var perGroup = context.Length(NodeAxis.OfInput(0, 1)) / context.Node.Int("num_groups");
        var groups = context.OfInput(0, 1).GroupBy(i => i / perGroup).ToArray();
        if (groups.Any(g => g.Count() != perGroup) || !context.OfInput(0, 1).SequenceEqual(context.OfOutput(0, 1)))
            return "a group is normalized as a whole";
        context.Set("num_groups", groups.Length);
        return null;
    }

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var (channels, groups) = ((int)x.Shape[1], (int)context.Node.Int("num_groups"));
        context.Require(groups > 0 && channels % groups == 0, $"{channels} channels cannot be put into {groups} groups");
        var (scale, bias) = (Numbers.Doubles(context.Input(1)), Numbers.Doubles(context.Input(2)));
        var parameters = context.Opset < 21 ? groups : channels;
        context.Require(scale.Length == parameters && bias.Length == parameters, "scale and bias do not fit");
        var values = Numbers.Doubles(x);
        var plane = (int)Indexing.Product(x.Shape.AsSpan(), 2, x.Rank);
        Normalize(values, channels / groups * plane, context.Node.Float("epsilon", 1e-5f));
        for (var i = 0; i < values.Length; i++)
        {
            var p = i / plane % channels / (channels / parameters);
            values[i] = values[i] * scale[p] + bias[p];
        }
        context.Set(0, Numbers.Of(x.ElementType, x.Shape, values));
    }

    /// <summary>Brings every run of <paramref name="length"/> numbers to mean 0 and variance 1.</summary>
    public static void Normalize(double[] values, int length, double epsilon)
    {
        for (var start = 0; start < values.Length; start += length)
        {
            var run = values.AsSpan(start, length);
            double mean = 0, square = 0;
            foreach (var v in run)
                mean += v;
            mean /= length;
            foreach (var v in run)
                square += (v - mean) * (v - mean);
            var factor = 1 / Math.Sqrt(square / length + epsilon);
            foreach (ref var v in run)
                v = (v - mean) * factor;
        }
    }
}
