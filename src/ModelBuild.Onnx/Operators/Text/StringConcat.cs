namespace ModelBuild.Onnx.Operators;

/// <summary>Strings of two tensors put together, broadcast.</summary>
internal sealed class StringConcat : Operator
{
    public override string Name => "StringConcat";

    public override int FirstVersion => 20;

    public override void Infer(InferenceContext context) => context.Set(0, ElementType.String, Shapes.Broadcast(context.Shape(0), context.Shape(1)));

    public override void Axes(AxesContext context) => context.BroadcastAll();

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var (a, b) = (context.Input(0), context.Input(1));
        var shape = Indexing.BroadcastShape(a.Shape, b.Shape);
        context.Set(0, new Tensor(shape, Elementwise.Map<string, string>(a.Strings.ToArray(), a.Shape, b.Strings.ToArray(), b.Shape, shape, string.Concat)));
    }
}
