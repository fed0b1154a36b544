namespace ModelBuild.Onnx.Operators;

/// <summary>Remainder, with the sign of the divisor (fmod = 0, integers) or of the dividend (fmod = 1).</summary>
internal sealed class Mod : Operator
{
    public override string Name => "Mod";

    public override int FirstVersion => 10;

    public override void Infer(InferenceContext context)
    {
        context.Set(0, context.ElementType(0), Shapes.Broadcast(context.Shape(0), context.Shape(1)));
        if (context.Elements(0) is { } a && context.Elements(1) is { } b)
            SymbolicBroadcast.Set(context, a, b, static (x, y) => y.IsConstant && y.Value > 0 && Shapes.IsNotNegative(x) ? x - x / y * y : Dimension.Unknown);
    }

    public override void Axes(AxesContext context) => context.BroadcastAll();

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var (a, b) = (context.Input(0), context.Input(1));
        var shape = Indexing.BroadcastShape(a.Shape, b.Shape);
        var ofDividend = context.Node.Int("fmod") != 0;
        if (ElementTypes.IsFloat(a.ElementType))
        {
            context.Set(0, Numbers.Of(a.ElementType, shape, Elementwise.Map<double, double>(Numbers.Doubles(a), a.Shape, Numbers.Doubles(b), b.Shape, shape,
                (x, y) =>
                {
                    var r = x % y;
                    return ofDividend || r == 0 || r < 0 == y < 0 ? r : r + y;
                })));
            return;
        }
        var unsigned = a.ElementType == ElementType.UInt64;
        context.Set(0, Numbers.Of(a.ElementType, shape, Elementwise.Map<long, long>(Numbers.Integers(a), a.Shape, Numbers.Integers(b), b.Shape, shape, (x, y) =>
        {
            if (y is 0 or -1 && !unsigned)
                return 0;
            if (unsigned)
                return y == 0 ? 0 : (long)((ulong)x % (ulong)y);
            var r = x % y;
            return ofDividend || r == 0 || r < 0 == y < 0 ? r : r + y;
        })));
    }
}
