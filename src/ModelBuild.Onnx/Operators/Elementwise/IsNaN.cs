namespace ModelBuild.Onnx.Operators;

/// <summary>Whether elements are NaN.</summary>
internal sealed class IsNaN : Operator
{
    public override string Name => "IsNaN";

    public override int FirstVersion => 9;

    public override void Infer(InferenceContext context) => context.Set(0, ElementType.Bool, context.Shape(0));

    public override void Axes(AxesContext context) => context.Same();

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context) =>
        context.Set(0, Tensor.Of(Array.ConvertAll(Numbers.Doubles(context.Input(0)), double.IsNaN), context.Input(0).Shape.AsSpan()));
}
