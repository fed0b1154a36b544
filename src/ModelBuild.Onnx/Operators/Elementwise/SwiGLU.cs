namespace ModelBuild.Onnx.Operators;

/// <summary>swish(a) * b, with the gate's slope alpha.</summary>
internal sealed class SwiGLU : Operator
{
    public override string Name => "SwiGLU";

    public override int FirstVersion => 28;

    public override void Infer(InferenceContext context) => context.Set(0, context.ElementType(0), Shapes.Broadcast(context.Shape(0), context.Shape(1)));

    public override void Axes(AxesContext context) => context.BroadcastAll();

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var (a, b) = (context.Input(0), context.Input(1));
        double alpha = context.Node.Float("alpha", 1);
        var shape = Indexing.BroadcastShape(a.Shape, b.Shape);
        context.Set(0, Numbers.Of(a.ElementType, shape, Elementwise.Map<double, double>(Numbers.Doubles(a), a.Shape, Numbers.Doubles(b), b.Shape, shape,
            (x, y) => x * SpecialFunctions.Sigmoid(alpha * x) * y)));
    }
}
