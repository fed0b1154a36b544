namespace ModelBuild.Onnx.Operators;

/// <summary>Whether elements are infinite, of the signs that the attributes ask for.</summary>
internal sealed class IsInf : Operator
{
    public override string Name => "IsInf";

    public override int FirstVersion => 10;

    public override void Infer(InferenceContext context) => context.Set(0, ElementType.Bool, context.Shape(0));

    public override void Axes(AxesContext context) => context.Same();

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var negative = context.Node.Int("detect_negative", 1) != 0;
        var positive = context.Node.Int("detect_positive", 1) != 0;
        context.Set(0, Tensor.Of(Array.ConvertAll(Numbers.Doubles(x), v => positive && double.IsPositiveInfinity(v) || negative
            && double.IsNegativeInfinity(v)), x.Shape.AsSpan()));
    }
}
