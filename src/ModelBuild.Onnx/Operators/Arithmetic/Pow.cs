namespace ModelBuild.Onnx.Operators;

/// <summary>Power; the result has the base's element type.</summary>
internal sealed class Pow : Operator
{
    public override string Name => "Pow";

    public override void Infer(InferenceContext context) => context.Set(0, context.ElementType(0), BroadcastAttributes.Shape(context));

    public override void Axes(AxesContext context) => BroadcastAttributes.Axes(context);

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var a = context.Input(0);
        var b = BroadcastAttributes.Second(context);
        var shape = Indexing.BroadcastShape(a.Shape, b.Shape);
        if (ElementTypes.IsInteger(a.ElementType) && ElementTypes.IsInteger(b.ElementType))
            context.Set(0, Numbers.Of(a.ElementType, shape, Elementwise.Map<long,
                long>(Numbers.Integers(a), a.Shape, Numbers.Integers(b), b.Shape, shape, Power)));
        else
            context.Set(0, Numbers.Of(a.ElementType, shape, Elementwise.Map<double,
                double>(Numbers.Doubles(a), a.Shape, Numbers.Doubles(b), b.Shape, shape, Math.Pow)));
    }

    private static long Power(long x, long exponent)
    {
        if (exponent < 0)
            return x == 1 ? 1 : x == -1 ? exponent % 2 == 0 ? 1 : -1 : 0;
        long result = 1;
        for (; exponent > 0; exponent >>= 1, x = unchecked(x * x))
            if ((exponent & 1) != 0)
                result = unchecked(result * x);
        return result;
    }
}
