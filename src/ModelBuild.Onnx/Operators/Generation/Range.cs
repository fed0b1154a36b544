namespace ModelBuild.Onnx.Operators;

/// <summary>Numbers from a start up to a limit, by a step.</summary>
internal sealed class Range : Operator
{
    public override string Name => "Range";

    public override int FirstVersion => 11;

    public override void Infer(InferenceContext context)
    {
        var length = Dimension.Unknown;
        if (context.Constant(0) is { } s && context.Constant(1) is { } l && context.Constant(2) is { } d)
            length = Count(Numbers.Doubles(s)[0], Numbers.Doubles(l)[0], Numbers.Doubles(d)[0]);
        else if (context.Elements(0) is { } start && context.Elements(1) is { } limit && context.Elements(2) is { IsConstant: true } step
            && step.Elements[0].Value > 0)
            length = Shapes.CeilDivide(limit.Elements[0] - start.Elements[0], step.Elements[0]);
        context.Set(0, context.ElementType(0), [length]);
    }

    public override InputRole Role(Node node, int input) => InputRole.Parameter;

    public override void Axes(AxesContext context) => context.Rest(AxisKind.New);

    public override void Execute(ExecutionContext context)
    {
        var (start, limit, delta) = (context.Input(0), context.Input(1), context.Input(2));
        var type = start.ElementType;
        if (ElementTypes.IsFloat(type))
        {
            var (s, d) = (Numbers.Doubles(start)[0], Numbers.Doubles(delta)[0]);
            var n = Indexing.Length([Count(s, Numbers.Doubles(limit)[0], d)]);
            context.Set(0, Numbers.Of(type, [n], [.. Enumerable.Range(0, n).Select(i => s + i * d)]));
        }
        else
        {
            var (s, d) = (Numbers.Integers(start)[0], Numbers.Integers(delta)[0]);
            var n = Indexing.Length([Count(s, Numbers.Integers(limit)[0], d)]);
            context.Set(0, Numbers.Of(type, [n], Enumerable.Range(0, n).Select(i => s + i * d).ToArray()));
        }
    }

    private static long Count(double start, double limit, double delta) =>
        delta == 0 ? throw new InvalidOperationException("the step is 0") : (long)Math.Max(0, Math.Ceiling((limit - start) / delta));
}
