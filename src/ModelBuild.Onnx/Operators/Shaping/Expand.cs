namespace ModelBuild.Onnx.Operators;

/// <summary>A tensor broadcast together with a given shape.</summary>
internal sealed class Expand : Operator
{
    public override string Name => "Expand";

    public override int FirstVersion => 8;

    public override void Infer(InferenceContext context) =>
        context.Set(0, context.ElementType(0), context.Vector(1) is { } target ? Shapes.Broadcast(context.Shape(0), target) : default);

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var shape = Indexing.BroadcastShape(x.Shape, [.. Numbers.Integers(context.Input(1))]);
        context.Set(0, Indexing.Broadcast(x.Shape.AsSpan(), shape.AsSpan()) is { } positions ? Elements.Select(x, shape, positions) : x);
    }
}
