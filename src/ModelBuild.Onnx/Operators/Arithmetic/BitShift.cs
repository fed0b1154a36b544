namespace ModelBuild.Onnx.Operators;

/// <summary>Integers shifted by numbers of bits, to the LEFT or RIGHT; signed ones keep their sign on the way to the right.</summary>
internal sealed class BitShift : Operator
{
    public override string Name => "BitShift";

    public override int FirstVersion => 11;

    public override void Infer(InferenceContext context) => context.Set(0, context.ElementType(0), Shapes.Broadcast(context.Shape(0), context.Shape(1)));

    public override void Axes(AxesContext context) => context.BroadcastAll();

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var (a, b) = (context.Input(0), context.Input(1));
        var left = context.Node.String("direction") switch { "LEFT" => true, "RIGHT" => false, var d => throw context.Error($"unknown direction '{d}'") };
        var signed = a.ElementType is ElementType.Int8 or ElementType.Int16 or ElementType.Int32 or ElementType.Int64;
        var shape = Indexing.BroadcastShape(a.Shape, b.Shape);
        context.Set(0, Numbers.Of(a.ElementType, shape, Elementwise.Map<long, long>(Numbers.Integers(a), a.Shape, Numbers.Integers(b), b.Shape, shape,
            (x, y) => left ? (ulong)y >= 64 ? 0 : x << (int)y
                : signed ? x >> (int)Math.Min((ulong)y, 63)
                : (ulong)y >= 64 ? 0 : (long)((ulong)x >> (int)y))));
    }
}
