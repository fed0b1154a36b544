namespace ModelBuild.Onnx.Operators;

/// <summary>Elements converted to another element type.</summary>
internal sealed class Cast : Operator
{
    public override string Name => "Cast";

    public override void Infer(InferenceContext context)
    {
        var to = (ElementType)context.Node.Int("to");
        context.Set(0, to, context.Shape(0));
        if (ElementTypes.IsInteger(to) && context.Elements(0) is { IsConstant: false } elements && to is ElementType.Int64 or ElementType.Int32)
            context.SetElements(0, elements);
    }

    public override void Axes(AxesContext context) => context.Same();

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context) =>
        context.Set(0, Conversion.To((ElementType)context.Node.Int("to"), context.Input(0), context.Node.Int("saturate", 1) != 0,
            context.Node.String("round_mode", "up")));
}
