namespace ModelBuild.Onnx.Operators;

/// <summary>Elements limited to a range, whose ends are attributes up to operator set 10 and inputs later.</summary>
internal sealed class Clip : Operator
{
    public override string Name => "Clip";

    public override void Infer(InferenceContext context) => context.Set(0, context.Input(0));

    public override InputRole Role(Node node, int input) => input > 0 ? InputRole.Parameter : InputRole.Activation;

    public override void Axes(AxesContext context) => context.Same();

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var (low, high) = (context.Optional(1), context.Optional(2));
        if (ElementTypes.IsFloat(x.ElementType))
        {
            var min = context.Opset < 11 ? context.Node.Float("min", float.MinValue) : low is null ? double.NegativeInfinity : Numbers.Doubles(low)[0];
            var max = context.Opset < 11 ? context.Node.Float("max", float.MaxValue) : high is null ? double.PositiveInfinity : Numbers.Doubles(high)[0];
            // Where the ends cross, the upper one wins.
            context.Set(0, Numbers.Of(x.ElementType, x.Shape, Array.ConvertAll(Numbers.Doubles(x), v => Math.Min(Math.Max(v, min), max))));
            return;
        }
        long? least = low is null ? null : Numbers.Integers(low)[0], most = high is null ? null : Numbers.Integers(high)[0];
        var unsigned = x.ElementType == ElementType.UInt64;
        context.Set(0, Numbers.Of(x.ElementType, x.Shape, Array.ConvertAll(Numbers.Integers(x), v =>
        {
            if (least is { } l && (unsigned ? (ulong)v < (ulong)l : v < l))
                v = l;
            return most is { } m && (unsigned ? (ulong)v > (ulong)m : v > m) ? m : v;
        })));
    }
}
